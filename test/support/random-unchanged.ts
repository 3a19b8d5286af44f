import fc from 'fast-check';
import type { OracleRow } from '../../tools/oracle.ts';

/** A record of a file, by what the table held before the load. */
export type RecordChoice =
  /** The row of this place, as the server spells it. */
  | { readonly kind: 'same'; readonly place: number }
  /** The same with another value in one column. */
  | {
      readonly kind: 'changed';
      readonly place: number;
      readonly column: number;
      readonly pick: number;
    }
  /** Any row. */
  | { readonly kind: 'any'; readonly picks: readonly number[] };

export interface RandomColumn {
  readonly sqlType: string;
  readonly pool: readonly (string | null)[];
}

/** A load of files that mostly repeat what their table holds. */
export interface RandomUnchanged {
  readonly columns: readonly RandomColumn[];
  /** So many of the columns, from the first on. */
  readonly keys: number;
  readonly before: readonly (readonly number[])[];
  readonly files: readonly (readonly RecordChoice[])[];
  readonly onConflict: 'update' | 'ignore' | 'newest';
  readonly strategy: 'auto' | 'full-parallel' | 'hybrid' | 'sequential';
  readonly concurrency: number;
  readonly onError: 'stop' | 'quarantine';
  readonly lineEnd: '\n' | '\r\n';
  /** All fields in quotes. */
  readonly quoted: boolean;
  readonly withinRange: boolean;
}

/** Keys of one spelling and of several: both rules of what may be left out are to be met. */
const KEYS: readonly RandomColumn[] = [
  { sqlType: 'bigint', pool: ['1', '2', '3', '04', '5', '-6', '+7', '9007199254740993'] },
  { sqlType: 'integer', pool: ['0', '1', '2', '3', '4', '5'] },
  { sqlType: 'integer', pool: ['10', '11', '12', '13', '14', '15'] },
  { sqlType: 'text', pool: ['a', 'A', 'b,c', 'say "hi"', 'line\nbreak', ' a', 'é', 'NULL'] },
  { sqlType: 'text collate case_blind', pool: ['key', 'KEY', 'Key', 'other', 'third'] },
  { sqlType: 'varchar(2)', pool: ['a', 'b', 'ab', 'ab ', 'a '] },
  { sqlType: 'numeric', pool: ['1', '1.0', '2.5', '2.50', '1e3', '1000'] },
  { sqlType: 'date', pool: ['2024-01-01', '2024-02-29', '20240229', 'infinity'] },
  {
    sqlType: 'uuid',
    pool: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11'],
  },
  { sqlType: 'timestamptz', pool: ['2024-01-01 00:00:00+00', '2024-01-01T01:00:00+01'] },
];

const VALUES: readonly RandomColumn[] = [
  { sqlType: 'text', pool: ['', 'x', 'y', 'quoted "z"', 'a\r\nb', '\\.', 'NULL', null] },
  { sqlType: 'integer', pool: ['1', '2', '-3', null] },
  { sqlType: 'numeric', pool: ['1', '1.0', '1.00', null] },
  { sqlType: 'numeric(10,2)', pool: ['1.5', '1.50', '2', null] },
  { sqlType: 'boolean', pool: ['t', 'true', 'f', null] },
  { sqlType: 'character(3)', pool: ['a', 'a  ', 'abc', null] },
  { sqlType: 'double precision', pool: ['0', '-0', '0.1', 'NaN', null] },
  { sqlType: 'json', pool: ['{"a":1}', '{"a": 1}', null] },
  { sqlType: 'text[]', pool: ['{}', '{a,NULL,"b c"}', null] },
  { sqlType: 'bytea', pool: ['\\x00ff', '\\x', null] },
  { sqlType: 'interval', pool: ['1 mon', '30 days', '1 day -01:00:00', null] },
  { sqlType: 'timestamptz', pool: ['2024-01-01 00:00:00+00', '2024-01-01T00:00:00.123Z', null] },
];

/** The last column of every table; also an ordinary value where the policy is not `newest`. */
const VERSION: RandomColumn = { sqlType: 'integer', pool: ['1', '2', '3'] };

const pick = fc.nat(1_000);

export const randomUnchanged: fc.Arbitrary<RandomUnchanged> = fc
  .record({
    keys: fc.array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 2 }),
    values: fc.array(fc.constantFrom(...VALUES), { maxLength: 4 }),
  })
  .chain(({ keys, values }) => {
    const columns = [...keys, ...values, VERSION];
    const row = fc.array(pick, { minLength: columns.length, maxLength: columns.length });
    const choice: fc.Arbitrary<RecordChoice> = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('same' as const), place: pick }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('changed' as const),
          place: pick,
          column: fc.nat(columns.length - 1),
          pick,
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('any' as const), picks: row }) },
    );
    const file = fc.array(choice, { maxLength: 10 });
    return fc.record({
      columns: fc.constant(columns),
      keys: fc.constant(keys.length),
      before: fc.array(row, { minLength: 1, maxLength: 12 }),
      files: fc.array(file, { minLength: 1, maxLength: 5 }),
      onConflict: fc.constantFrom('update', 'update', 'ignore', 'newest'),
      strategy: fc.constantFrom('auto', 'full-parallel', 'hybrid', 'sequential'),
      concurrency: fc.integer({ min: 1, max: 3 }),
      onError: fc.constantFrom('stop', 'stop', 'quarantine'),
      lineEnd: fc.constantFrom('\n', '\n', '\r\n'),
      quoted: fc.boolean(),
      withinRange: fc.boolean(),
    });
  });

export function rowOf(columns: readonly RandomColumn[], picks: readonly number[]): OracleRow {
  return columns.map(({ pool }, place) => pool[(picks[place] ?? 0) % pool.length] ?? null);
}

/** `held`: the table's rows before the load, as the server spells them. */
export function recordOf(
  { columns, keys }: Pick<RandomUnchanged, 'columns' | 'keys'>,
  choice: RecordChoice,
  held: readonly OracleRow[],
): OracleRow {
  if (choice.kind === 'any') return rowOf(columns, choice.picks);
  const row = held[choice.place % held.length] ?? [];
  if (choice.kind === 'same') return row;
  const column = Math.max(keys, choice.column);
  const { pool = [null] } = columns[column] ?? {};
  return row.map((value, place) =>
    place === column ? (pool[choice.pick % pool.length] ?? null) : value,
  );
}

/** As COPY TO writes it. */
export function csvAsWritten(
  names: readonly string[],
  rows: readonly OracleRow[],
  { lineEnd, quoted }: Pick<RandomUnchanged, 'lineEnd' | 'quoted'>,
): string {
  const field = (value: string | null): string => {
    if (value === null) return '';
    const needed = value === '' || /[",\r\n]/.test(value);
    return quoted || needed ? `"${value.replaceAll('"', '""')}"` : value;
  };
  const lines = [names.join(','), ...rows.map((row) => row.map(field).join(','))];
  return lines.map((line) => `${line}${lineEnd}`).join('');
}
