import type { SpelledField } from '../source/csv/sample-records.ts';
import type { CsvDialect } from '../source/source-file.ts';
import type { PaddedDigits, PaddedType, TextColumn, TextForm } from '../target/row-text.ts';
import type { TargetType } from '../target/table.ts';

/** A value of the files, and the same column of the row that the table has for its key. */
export interface SpelledPair {
  readonly file: SpelledField;
  /** As the server spells it; null is NULL. */
  readonly table: string | null;
}

/**
 * How the server is to spell a column so that most of its values read like those of the files, by a
 * sample of them. Only forms that are read back as the value that they were made of.
 */
export function chooseForm(
  name: string,
  type: TargetType,
  pairs: readonly SpelledPair[],
  dialect: CsvDialect,
): TextColumn {
  const forms = formsOf(type, pairs);
  const equal = forms.map((form) => pairs.filter((pair) => isSpelledAs(pair, form)).length);
  const best = equal.indexOf(Math.max(...equal));
  const free = pairs.filter(({ file }) => file.text !== null && !needsQuotes(file.text, dialect));
  const inQuotes = free.filter(({ file }) => file.quoted).length;
  const quoted = dialect.quote !== null && inQuotes * 2 > free.length;
  return { name, form: forms[best] ?? PLAIN, quoted };
}

/** Whether the field's bytes are those that the server would write. */
export function isWritten(
  { file, table }: SpelledPair,
  { form, quoted }: TextColumn,
  dialect: CsvDialect,
): boolean {
  if (!isSpelledAs({ file, table }, form)) return false;
  return file.text === null || file.quoted === (quoted || needsQuotes(file.text, dialect));
}

const PLAIN: TextForm = { kind: 'plain' };

/** Pairs of words that the server reads as booleans, as people and other programs write them. */
const WORDS = [
  ['true', 'false'],
  ['True', 'False'],
  ['TRUE', 'FALSE'],
  ['1', '0'],
  ['yes', 'no'],
  ['Y', 'N'],
] as const;

function formsOf(type: TargetType, pairs: readonly SpelledPair[]): TextForm[] {
  if (type.kind !== 'base') return [PLAIN];
  switch (type.typeName) {
    case 'bool':
      return [PLAIN, ...WORDS.map(([yes, no]) => ({ kind: 'boolean', yes, no }) as const)];
    case 'numeric':
      // Without a scale 1.5 and 1.50 are two values.
      return /\(\d+,\d+\)$/.test(type.declared)
        ? [PLAIN, { kind: 'trimmed', of: 'number' }]
        : [PLAIN];
    case 'float4':
    case 'float8':
      return [PLAIN, ...paddedForms(pairs, type.typeName)];
    case 'bpchar':
      return [PLAIN, { kind: 'trimmed', of: 'text' }];
    case 'timestamp':
    case 'timestamptz':
      return [PLAIN, ...timestampForms(pairs, type.typeName === 'timestamptz')];
    default:
      return [PLAIN];
  }
}

/** As many digits behind the point as the first values of the files have. */
function paddedForms(pairs: readonly SpelledPair[], of: PaddedType): TextForm[] {
  const digits = pairs
    .slice(0, 20)
    .map(({ file }) => /^-?\d+\.(\d{1,4})$/.exec(file.text ?? '')?.[1]?.length ?? 0);
  return ([1, 2, 3, 4] as const satisfies readonly PaddedDigits[])
    .filter((wanted) => digits.includes(wanted))
    .map((wanted) => ({ kind: 'padded', of, digits: wanted }));
}

const TIMESTAMP = /^\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00|\+00)?$/;

/** The forms that the first values of the files have. */
function timestampForms(pairs: readonly SpelledPair[], zoned: boolean): TextForm[] {
  const texts = pairs.flatMap(({ file }) => (file.text === null ? [] : [file.text])).slice(0, 20);
  const forms = texts.flatMap((text) => {
    const match = TIMESTAMP.exec(text);
    if (match === null || zoned !== (match[3] !== undefined)) return [];
    const separator: ' ' | 'T' = match[1] === 'T' ? 'T' : ' ';
    const zone = match[3] === 'Z' || match[3] === '+00:00' ? match[3] : null;
    const places = (match[2] ?? '.').length - 1;
    const shown: readonly (3 | 6 | null)[] = places === 3 || places === 6 ? [null, places] : [null];
    // With so many digits the zone is written out by hand.
    const allowed = shown.filter((digits) => digits === null || !zoned || zone !== null);
    return allowed.map((digits) => ({ kind: 'timestamp', separator, zone, digits }) as const);
  });
  return [...new Map(forms.map((form) => [JSON.stringify(form), form])).values()];
}

function isSpelledAs({ file, table }: SpelledPair, form: TextForm): boolean {
  if (file.text === null || table === null) return file.text === table;
  return file.text === spelled(table, form);
}

/** What target/row-text.ts makes of it; for a choice, so that a slip here costs time alone. */
function spelled(table: string, form: TextForm): string {
  switch (form.kind) {
    case 'plain':
      return table;
    case 'boolean':
      return table === 't' ? form.yes : form.no;
    case 'padded': {
      if (!/^-?\d+(\.\d+)?$/.test(table)) return table;
      const [whole = '', fraction = ''] = table.split('.');
      return `${whole}.${fraction.padEnd(form.digits, '0')}`;
    }
    case 'trimmed':
      if (form.of === 'text') return table.replace(/ +$/, '');
      return table.includes('.') ? table.replace(/\.?0+$/, '') : table;
    case 'timestamp': {
      const match = TIMESTAMP.exec(table);
      if (match === null) return table;
      const seconds = `${table.slice(0, 10)}${form.separator}${table.slice(11, 19)}`;
      const fraction =
        form.digits === null
          ? (match[2] ?? '')
          : (match[2] ?? '.').padEnd(form.digits + 1, '0').slice(0, form.digits + 1);
      return `${seconds}${fraction}${form.zone ?? match[3] ?? ''}`;
    }
  }
}

/** When COPY TO puts a value in quotes by itself. */
function needsQuotes(text: string, dialect: CsvDialect): boolean {
  return (
    text === dialect.null ||
    [dialect.delimiter, dialect.quote ?? '\u0001', '\n', '\r'].some((part) => text.includes(part))
  );
}
