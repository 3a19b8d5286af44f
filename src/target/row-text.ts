import type { CopyFormat } from '../source/csv/copy-format.ts';
import { csvOptions } from './copy-sql.ts';
import type { MergeTarget } from './merge-sql.ts';
import { literal, quoted } from './names.ts';

/**
 * How COPY TO is to spell the values of a column, so that they read like those of the files. Each form
 * is read back as the very value that it was made of; rows with a value of which that is not certain
 * are left out. Plain JSON.
 */
export type TextForm =
  /** As the server spells it. */
  | { readonly kind: 'plain' }
  | { readonly kind: 'boolean'; readonly yes: string; readonly no: string }
  /** Timestamps: `2026-01-31T12:00:00.000Z`; `digits` null: as many as there are. */
  | {
      readonly kind: 'timestamp';
      readonly separator: ' ' | 'T';
      /** In place of +00; null: as the server has it. */
      readonly zone: 'Z' | '+00:00' | null;
      readonly digits: 3 | 6 | null;
    }
  /** Floats with zeros at the end, up to so many digits behind the point: 12.50. */
  | { readonly kind: 'padded'; readonly of: PaddedType; readonly digits: PaddedDigits }
  /** Numbers of a fixed scale without the zeros at the end, char(n) without its blanks. */
  | { readonly kind: 'trimmed'; readonly of: 'number' | 'text' };

/** No more: a fraction of fewer digits is then no less than 0.001, and has no exponent. */
export type PaddedDigits = 1 | 2 | 3 | 4;
export type PaddedType = 'float4' | 'float8';

/** Numbers from which on the server spells with an exponent: 5e+20. */
const WITHOUT_EXPONENT: Readonly<Record<PaddedType, string>> = { float4: '1e6', float8: '1e15' };

export interface TextColumn {
  /** Of the table. */
  readonly name: string;
  readonly form: TextForm;
  /** Whether all values are in quotes, those that need none, too. */
  readonly quoted: boolean;
}

/** Only these integers in the first column of the key. */
export interface KeyBounds {
  readonly column: string;
  readonly min: number;
  readonly max: number;
}

/**
 * The rows of the table as records like those of a file. `only`: rows of tables that inherit from it
 * are not its own, and its key does not hold for them. Nor does it for rows in which a part of it is NULL: a
 * record without a key is refused, and must not be taken for one of these.
 */
export function rowTextSql(
  target: Pick<MergeTarget, 'schema' | 'name' | 'key'>,
  columns: readonly TextColumn[],
  format: CopyFormat,
  bounds: KeyBounds | null,
): string {
  const fields = columns.map(({ name, form }) => spelledSql(quoted(name), form));
  const conditions = [
    ...target.key.map((name) => `${quoted(name)} is not null`),
    ...(bounds === null
      ? []
      : [`${quoted(bounds.column)} between ${bounds.min} and ${bounds.max}`]),
    ...columns.flatMap(({ name, form }) => certainSql(quoted(name), form)),
  ];
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  const inQuotes = columns.flatMap((column, place) => (column.quoted ? [`f${place}`] : []));
  const options = [
    ...csvOptions(format),
    ...(inQuotes.length === 0 ? [] : [`force_quote (${inQuotes.join(', ')})`]),
  ];
  const list = fields.map((field, place) => `${field} as f${place}`).join(', ');
  const from = `only ${quoted(target.schema)}.${quoted(target.name)}`;
  return `copy (select ${list} from ${from}${where}) to stdout with (${options.join(', ')})`;
}

/**
 * Settings, of the transaction, in which the server spells each value so that it is read back as the
 * same one: any order of day and month reads 2026-01-31, and one digit more than a float is sure of tells
 * it from its neighbours. And rows come as they lie, from the first on: a scan of a large table otherwise
 * begins where the last one was, and then no row is the next one of a file.
 */
export const ROW_TEXT_SETTINGS = `select set_config('datestyle', 'ISO', true),
       set_config('intervalstyle', 'postgres', true),
       set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true),
       set_config('synchronize_seqscans', 'off', true)`;

function spelledSql(value: string, form: TextForm): string {
  switch (form.kind) {
    case 'plain':
      return value;
    case 'boolean':
      return `case ${value} when true then ${literal(form.yes)} when false then ${literal(form.no)} end`;
    case 'timestamp':
      return timestampSql(value, form);
    case 'padded':
      return paddedSql(value, form);
    case 'trimmed':
      return form.of === 'number' ? `trim_scale(${value})` : `${value}::text`;
  }
}

/**
 * Zeros at the end change no number, where there is a point and no exponent. How many digits a number
 * has behind the point, arithmetic tells, so that its text is made once, and for most numbers nothing else
 * is. An error of it would cost a row that is sent: what stands behind a point is not a whole number.
 */
function paddedSql(value: string, { of, digits }: TextForm & { kind: 'padded' }): string {
  const text = `${value}::text`;
  const scaled = (places: number): string => `${10 ** places}::float8`;
  const hasAtMost = (places: number): string =>
    places === 0
      ? `${value} = trunc(${value})`
      : `(round(${value} * ${scaled(places)}) / ${scaled(places)})::${of} = ${value}`;
  const padded = (places: number): string =>
    places === 0
      ? `${text} || '.${'0'.repeat(digits)}'`
      : `case when ${hasAtMost(places - 1)} then ${padded(places - 1)} ` +
        `else ${text} || '${'0'.repeat(digits - places)}' end`;
  const short = `abs(${value}) < ${WITHOUT_EXPONENT[of]}::float8 and ${hasAtMost(digits - 1)}`;
  return `case when ${short} then ${padded(digits - 1)} else ${text} end`;
}

function timestampSql(
  value: string,
  { separator, zone, digits }: TextForm & { kind: 'timestamp' },
): string {
  // Whatever the session's zone: the digits before a Z are those of UTC.
  const shown = zone === null ? value : `(${value} at time zone 'UTC')`;
  if (digits !== null) {
    const fraction = digits === 3 ? 'MS' : 'US';
    const end = zone === null ? '' : `"${zone}"`;
    return `to_char(${shown}, 'YYYY-MM-DD"${separator}"HH24:MI:SS.${fraction}${end}')`;
  }
  const separated = separator === ' ' ? `${shown}::text` : `replace(${shown}::text, ' ', 'T')`;
  return zone === null ? separated : `${separated} || '${zone}'`;
}

/** Of four digits of the year, and no more digits of the second than are shown. */
function certainSql(value: string, form: TextForm): string[] {
  if (form.kind !== 'timestamp') return [];
  const within = `${value} >= '0001-01-02' and ${value} < '9999-12-31'`;
  const exact =
    form.digits === 3 ? ` and extract(microseconds from ${value})::int8 % 1000 = 0` : '';
  return [`(${value} is null or (${within}${exact}))`];
}
