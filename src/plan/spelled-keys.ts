import { matcherOf, valueText } from '../source/documents/document-values.ts';
import type { DocumentDescription, DocumentSource } from '../source/source-file.ts';
import type { TargetColumn } from '../target/table.ts';
import type { FilePlan } from './plan-types.ts';

const WHOLE = /^(?:0|-?[1-9]\d*)$/;

/** Of types that a path fills without a cast, the texts of which no two are one value. */
const ONE_SPELLING: Readonly<Record<string, RegExp>> = {
  int2: WHOLE,
  int4: WHOLE,
  int8: WHOLE,
  text: /^/,
  // Blanks that are too many are cut off.
  varchar: /(?:^|[^ ])$/,
};

/** What the plan knows as surely as the load will: a size and a time may change between the two. */
const FROM_PATH: ReadonlySet<DocumentSource['kind']> = new Set([
  'placeholder',
  'path',
  'name',
  'constant',
]);

/**
 * Whether documents whose keys are spelled in different ways have different keys for the database, too.
 * Then the plan, which knows the spelling of all of them, proves what a sample only suggests.
 */
export function differAsSpelled(
  files: readonly FilePlan[],
  description: DocumentDescription,
  key: readonly TargetColumn[],
): boolean {
  const [first] = files;
  if (first === undefined) return false;
  const parts = key.flatMap(({ name, type, collation }) => {
    const source = description.columns[first.targets.indexOf(name)]?.source;
    const spelling = type.kind === 'base' ? ONE_SPELLING[type.typeName] : undefined;
    const known = source !== undefined && FROM_PATH.has(source.kind);
    // A collation of the column's own may take two texts for one.
    return known && spelling !== undefined && collation === null ? [{ source, spelling }] : [];
  });
  if (parts.length < key.length) return false;
  const match = matcherOf(description);
  return files.every((file) => {
    const placeholders = match(file.path);
    return parts.every(({ source, spelling }) => {
      const text = valueText(source, file, placeholders);
      return text !== null && spelling.test(text);
    });
  });
}
