import { present } from '../assert.ts';
import type { FileDescription, ParquetType } from '../source/source-file.ts';
import { inputOf } from '../source/transform/input-of.ts';
import { stageColumn, type StageColumn } from './binary/stage-column.ts';
import { contentAsDigits, documentType } from './document-column.ts';
import { jsonForm } from './json-form.ts';
import { readAs } from './staging-layout.ts';
import type { TargetColumn, TargetType } from './table.ts';
import { TEXT_TYPE } from './types.ts';

/** How a column of a file is staged that several columns of tables take. */
export interface SharedType {
  readonly sqlType: string;
  readonly collation: string | null;
  readonly stage: StageColumn | null;
  readonly form: ReturnType<typeof jsonForm>;
  /** Whether it is staged as text, for each table to cast. */
  readonly asText: boolean;
  /** What the values of a document's column are. */
  readonly document?: ParquetType;
}

/** Of the columns that take the file's column; null where their types cannot share one staging. */
export function sharedType(
  takers: readonly TargetColumn[],
  description: FileDescription,
  index: number,
): SharedType | null {
  const read = takers.map(readAs);
  const types = read.map(({ type }) => type);
  const first = present(read[0], 'a column that takes it');
  const agree = read.every(
    ({ type, collation }) => type.declared === first.type.declared && collation === first.collation,
  );
  if (description.kind === 'parquet') {
    const { type } = present(description.columns[index], 'a column of the file');
    return agree ? own(type, first) : spelled(type, types);
  }
  if (description.kind === 'document') {
    const { source } = present(description.columns[index], 'a column of the documents');
    if (agree) {
      const document = documentType(source, first.type);
      return { ...own(document, first), document };
    }
    // The bytes of a content are a text only where its encoding says so.
    if (types.some((type) => documentType(source, type).kind === 'binary')) return null;
    const document = documentType(source, TEXT_TYPE);
    const shared = spelled(document, types);
    return shared === null ? null : { ...shared, document };
  }
  // One and the same content cannot be a text for one table and digits for the other.
  if (!agree && types.some((type) => contentAsDigits(description, index, type) !== null))
    return null;
  const form = sharedForm(types);
  if (form === null && inputOf(description).kind === 'json') return null;
  const staged = { stage: null, form: form ?? 'text' };
  return agree
    ? { ...staged, sqlType: first.type.declared, collation: first.collation, asText: false }
    : { ...staged, sqlType: 'text', collation: null, asText: true };
}

/** How the values of a JSON file are spelled for all of the types; null where they differ in it. */
function sharedForm(types: readonly TargetType[]): ReturnType<typeof jsonForm> | null {
  const forms = [...new Set(types.map(jsonForm))];
  if (forms.length === 1) return forms[0] ?? null;
  // The digits of a number, as text; an integer that is spelled with a fraction is refused then.
  return forms.every((form) => form === 'text' || form === 'integer') ? 'text' : null;
}

function own(type: ParquetType, first: Pick<TargetColumn, 'type' | 'collation'>): SharedType {
  const stage = stageColumn(type, first.type);
  const collation = stage.sqlType === first.type.declared ? first.collation : null;
  return { form: 'text', stage, sqlType: stage.sqlType, collation, asText: false };
}

/** Types of Parquet whose values have one spelling as text, whatever reads it. */
const SPELLED = new Set(
  'null boolean integer float decimal date time timestamp uuid string enum'.split(' '),
);

function spelled(type: ParquetType, types: readonly TargetType[]): SharedType | null {
  if (!SPELLED.has(type.kind) || types.some(({ kind }) => kind === 'array')) return null;
  const stage = stageColumn(type, TEXT_TYPE);
  return { form: 'text', stage, sqlType: 'text', collation: null, asText: true };
}
