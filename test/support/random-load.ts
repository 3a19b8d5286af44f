import fc from 'fast-check';
import type { OracleFile } from '../../tools/oracle.ts';

/** A random load: a table, what it holds before, files in order of precedence, and how to load. */
export interface RandomLoad {
  readonly key: readonly RandomColumn[];
  readonly values: readonly RandomColumn[];
  readonly before: OracleFile;
  readonly files: readonly OracleFile[];
  readonly onConflict: 'update' | 'ignore' | 'newest' | 'append';
  readonly strategy: 'auto' | 'full-parallel' | 'hybrid' | 'sequential' | 'partitioned';
  readonly concurrency: number;
  /** Rows and bytes of a part of a file at the least; null: files are too small to be split. */
  readonly parts: { readonly rows: number; readonly bytes: number } | null;
  /** Whether all units have windows for a direct copy, which need not hold their keys. */
  readonly windows: boolean;
}

export interface RandomColumn {
  readonly name: string;
  /** As in CREATE TABLE, collation included. */
  readonly sqlType: string;
  readonly pool: readonly string[];
}

/** Few values each, so that files meet; spellings that are equal to the database, where a type has any. */
const KEY_KINDS: readonly { sqlType: string; pool: readonly string[] }[] = [
  { sqlType: 'bigint', pool: ['1', '2', '3', '9007199254740993', '-5', '7', '8', '9'] },
  { sqlType: 'integer', pool: ['0', '1', '2', '3', '4', '5', '6'] },
  {
    sqlType: 'text',
    pool: ['a', 'A', 'ä', '', ' a', 'x,y', 'say "hi"', 'line\nbreak', '\\.', 'é'],
  },
  { sqlType: 'text collate "C"', pool: ['a', 'b', 'Z', 'zz', '10', '9', 'a b'] },
  { sqlType: 'text collate case_blind', pool: ['key', 'KEY', 'Key', 'other', 'OTHER', 'third'] },
  { sqlType: 'varchar(12)', pool: ['a', 'b', 'c', 'aa', 'ab'] },
  { sqlType: 'character(3)', pool: ['a', 'a  ', 'ab', 'abc'] },
  { sqlType: 'numeric', pool: ['1', '1.0', '1.00', '2.5', '2.50', '0', '-0', '1e3', '1000'] },
  { sqlType: 'double precision', pool: ['0', '-0', 'NaN', '1.5', 'Infinity', '2'] },
  { sqlType: 'boolean', pool: ['true', 'false', 't'] },
  { sqlType: 'date', pool: ['2024-01-01', '2024-02-29', 'infinity', '0044-03-15 BC'] },
  {
    sqlType: 'timestamp with time zone',
    pool: ['2024-01-01 00:00:00+00', '2024-01-01 01:00:00+01', '2024-06-01 12:00:00Z', '-infinity'],
  },
  { sqlType: 'interval', pool: ['1 month', '30 days', '1 day', '24:00:00'] },
  {
    sqlType: 'uuid',
    pool: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11'],
  },
  { sqlType: 'bytea', pool: ['\\x00', '\\x0001', '\\xff', '\\x'] },
  { sqlType: 'inet', pool: ['10.0.0.1', '10.0.0.1/32', '::1', '10.0.0.0/8'] },
];

/** The collation that one of them needs. */
export const CASE_BLIND =
  "create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";

const VALUE_KINDS: readonly { sqlType: string; pool: readonly string[] }[] = [
  { sqlType: 'text', pool: ['', 'x', 'y', 'quoted "z"', 'a\r\nb', '\\.', 'NULL'] },
  { sqlType: 'integer', pool: ['1', '2', '-3'] },
  { sqlType: 'numeric', pool: ['1', '1.0', '1.00', '99999999999999999999.5'] },
  { sqlType: 'numeric(10,2)', pool: ['1.005', '2', '3.999'] },
  { sqlType: 'json', pool: ['{"a":1}', '{"a": 1}', 'null'] },
  { sqlType: 'jsonb', pool: ['{"a":1.0}', '{"a":1.00}', '[]'] },
  { sqlType: 'double precision', pool: ['0', '-0', 'NaN', '0.1'] },
  { sqlType: 'text[]', pool: ['{}', '{a,NULL,"b c"}', '{"x"}'] },
  { sqlType: 'point', pool: ['(1,2)', '(0,0)'] },
  { sqlType: 'timestamp', pool: ['2024-01-01 00:00:00', '2024-01-01 00:00:00.000001'] },
];

/** The version column of every table; also an ordinary value where the policy is not `newest`. */
const VERSION: RandomColumn = { name: 'version', sqlType: 'integer', pool: ['1', '2', '3', '4'] };

export const randomLoad: fc.Arbitrary<RandomLoad> = fc
  .record({
    key: columns('k', KEY_KINDS, 1, 3),
    values: columns('v', VALUE_KINDS, 0, 4),
    onConflict: fc.constantFrom('update', 'update', 'ignore', 'newest', 'append'),
    strategy: fc.constantFrom('auto', 'full-parallel', 'hybrid', 'sequential', 'partitioned'),
    concurrency: fc.integer({ min: 1, max: 4 }),
    windows: fc.boolean(),
    parts: fc.option(
      fc.record({ rows: fc.integer({ min: 1, max: 4 }), bytes: fc.integer({ min: 1, max: 60 }) }),
      { freq: 3, nil: null },
    ),
  })
  .chain((shape) => {
    const all = [...shape.key, ...shape.values, VERSION];
    // Files that bring different columns cannot be partitioned: one winner per key would lose some.
    const fixed = shape.strategy === 'partitioned' && shape.onConflict !== 'append';
    return fc.record({
      key: fc.constant(shape.key),
      values: fc.constant([...shape.values, VERSION]),
      before: file(all, true, 8),
      files: fc.array(file(all, fixed, 14), { minLength: 1, maxLength: 7 }),
      onConflict: fc.constant(shape.onConflict),
      strategy: fc.constant(
        shape.onConflict === 'append' && shape.strategy === 'partitioned' ? 'auto' : shape.strategy,
      ),
      concurrency: fc.constant(shape.concurrency),
      parts: fc.constant(shape.parts),
      windows: fc.constant(shape.windows),
    });
  });

function columns(
  prefix: string,
  kinds: typeof KEY_KINDS,
  minLength: number,
  maxLength: number,
): fc.Arbitrary<RandomColumn[]> {
  return fc
    .array(fc.constantFrom(...kinds), { minLength, maxLength })
    .map((chosen) => chosen.map((kind, place) => ({ name: `${prefix}${place}`, ...kind })));
}

/** A file of some columns in some order; keys and the version always, the others where `whole`. */
function file(
  all: readonly RandomColumn[],
  whole: boolean,
  rowsMax: number,
): fc.Arbitrary<OracleFile> {
  const optional = (column: RandomColumn): boolean => column.name.startsWith('v') && !whole;
  return fc
    .record({
      kept: fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }),
      order: fc.shuffledSubarray([...all.keys()], { minLength: all.length }),
    })
    .chain(({ kept, order }) => {
      const brought = order
        .map((place) => [all[place], kept[place]] as const)
        .flatMap(([column, keep]) =>
          column !== undefined && (keep === true || !optional(column) || column === VERSION)
            ? [column]
            : [],
        );
      const row = fc.tuple(...brought.map(cell));
      return fc
        .array(row, { maxLength: rowsMax })
        .map((rows) => ({ columns: brought.map((column) => column.name), rows }));
    });
}

function cell(column: RandomColumn): fc.Arbitrary<string | null> {
  const value = fc.constantFrom(...column.pool);
  return column.name.startsWith('k') ? value : fc.option(value, { freq: 4, nil: null });
}

/** A file's text: NULL is an empty field, an empty text a quoted one. */
export function csvOf(file: OracleFile): string {
  return csvWithLineEnds(file, '\n');
}

export function csvWithLineEnds(file: OracleFile, lineEnd: string): string {
  const field = (value: string | null): string =>
    value === null
      ? ''
      : /[",\r\n\\]/.test(value) || value === '' || value.trim() !== value
        ? `"${value.replaceAll('"', '""')}"`
        : value;
  return [file.columns, ...file.rows]
    .map((row) => `${row.map(field).join(',')}${lineEnd}`)
    .join('');
}
