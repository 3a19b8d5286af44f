import type { KeyRange } from '../conflict/key-range.ts';
import type { Connection } from './connect.ts';
import type { TakeBytes } from './take-bytes.ts';
import { keyHashSql, stagedColumn, type MergeTarget } from './merge-sql.ts';
import { stagedValue, type StagingTable } from './staging.ts';
import type { TargetType } from './table.ts';
import { textArray } from './text-array.ts';

const INTEGERS = new Set(['int2', 'int4', 'int8', 'oid']);
const DATES = new Set(['date', 'timestamp', 'timestamptz']);
const TEXTS = new Set(['text', 'varchar', 'name']);

/**
 * Exact range of the leading key column over all that is staged; null where the type has no order
 * that bytes or integers can repeat outside the database. 500,000 rows: 0.04 s.
 */
export async function stagedKeyRange(
  connection: Connection,
  target: MergeTarget,
  table: StagingTable,
  utf8: boolean,
): Promise<KeyRange | null> {
  const leading = target.columns.find((column) => column.name === target.key[0]);
  if (leading === undefined) return null;
  const value = stagedValue(stagedColumn(table, leading.name));
  const range = rangeSql(leading.type, value, utf8);
  if (range === null) return null;
  const [row] = await connection.query(`select ${range.sql} from ${table.sqlName}`);
  const { min, max } = row as { min: string | null; max: string | null };
  return min === null || max === null ? null : { kind: range.kind, min, max };
}

function rangeSql(
  type: TargetType,
  value: string,
  utf8: boolean,
): { kind: KeyRange['kind']; sql: string } | null {
  if (INTEGERS.has(type.typeName)) {
    return { kind: 'integer', sql: `min(${value})::text as min, max(${value})::text as max` };
  }
  if (DATES.has(type.typeName)) {
    // No bigint: the last dates of the calendar are beyond its microseconds.
    const microseconds = (end: string): string =>
      `case when isfinite(min(${value})) and isfinite(max(${value})) then ` +
      `trunc(extract(epoch from ${end}(${value})) * 1000000)::text end as ${end}`;
    return { kind: 'integer', sql: `${microseconds('min')}, ${microseconds('max')}` };
  }
  if (TEXTS.has(type.typeName) && type.bytewise && utf8) {
    const bytes = (end: string): string => `${end}((${value})::text collate "C") as ${end}`;
    return { kind: 'bytes', sql: `${bytes('min')}, ${bytes('max')}` };
  }
  return null;
}

/**
 * The staged keys as sorted hashes, by the database's own notion of equality. The upper 53 of the
 * 64 bits are kept, which a double holds exactly, so that the runtime's own sort of numbers serves
 * (35 ms per 500,000; BigInt boxes each comparison). Two units of 500,000 keys meet by accident
 * once in 36,000 times, and that costs a wait, never a wrong row.
 */
export async function exportKeyHashes(
  connection: Connection,
  target: MergeTarget,
  table: StagingTable,
  rows: number,
): Promise<Float64Array> {
  return exportHashes(
    connection,
    `select ${keyHashSql(target, table)} as h from ${table.sqlName}`,
    rows,
  );
}

/**
 * The same of a staging whose rows go to several tables: the keys of all of them in one set, each
 * table's with a salt of its own, so that a key of one is none of another. `rows` counts the rows
 * once for each table.
 */
export async function exportJointKeyHashes(
  connection: Connection,
  keyed: readonly SaltedKeys[],
  rows: number,
): Promise<Float64Array> {
  const selects = keyed.map(({ target, staging, salt }) => {
    const where = staging.where === undefined ? '' : ` where ${staging.where}`;
    return `select ${keyHashSql(target, staging, salt)} as h from ${staging.sqlName}${where}`;
  });
  return exportHashes(connection, selects.join('\n union all '), rows);
}

export interface SaltedKeys {
  readonly target: MergeTarget;
  readonly staging: StagingTable;
  readonly salt: number;
}

/**
 * All hashes as one value: a row for each costs 0.2 to 0.35 µs of the client, and here 0.02; the
 * server is no slower (0.09 and 0.12 s per 500,000).
 */
async function exportHashes(
  connection: Connection,
  select: string,
  rows: number,
): Promise<Float64Array> {
  const sql = `copy (select string_agg(int8send(h), null) from (${select}) as k) to stdout (format binary)`;
  const { take, hashes } = readHashes(rows);
  await connection.copyOut(sql, take);
  return hashes().sort();
}

/** Of a file in COPY's binary form that is one row of one value: what stands before the value. */
const HEADER_BYTES = 19 + 2 + 4;
const HASH_BYTES = 8;

function readHashes(rows: number): { take: TakeBytes; hashes: () => Float64Array } {
  const hashes = new Float64Array(rows);
  let count = 0;
  let rest: Buffer = Buffer.alloc(0);
  let skip = HEADER_BYTES;
  return {
    take: (chunk, from, to) => {
      const own = chunk.subarray(from, to);
      const bytes = rest.length === 0 ? own : Buffer.concat([rest, own]);
      let at = Math.min(skip, bytes.length);
      skip -= at;
      while (at + HASH_BYTES <= bytes.length && count < rows) {
        hashes[count++] = bytes.readInt32BE(at) * 0x200000 + (bytes.readUInt32BE(at + 4) >>> 11);
        at += HASH_BYTES;
      }
      rest = Buffer.from(bytes.subarray(at));
    },
    hashes: () => (count === rows ? hashes : hashes.slice(0, count)),
  };
}

/** Hashes of sampled keys given as text, for the planner; NaN where a part of the key is null. */
export async function hashSampledKeys(
  connection: Connection,
  types: readonly TargetType[],
  rows: readonly (readonly (string | null)[])[],
): Promise<Float64Array> {
  const columns = types.map((_, place) => textArray(rows.map((row) => row[place] ?? null)));
  const values = types.map((type, place) => `k.c${place}::${type.cast}`).join(', ');
  const arrays = types.map((_, place) => `$${place + 1}::text[]`).join(', ');
  const names = types.map((_, place) => `c${place}`).join(', ');
  const present = types.map((_, place) => `k.c${place} is not null`).join(' and ');
  // As one value: a row for each would cost the client three times as much. See exportKeyHashes for
  // the bits.
  const sql =
    `select string_agg(coalesce((case when ${present} ` +
    `then hash_record_extended(row(${values}), 0) >> 11 end)::text, 'NaN'), ',' order by k.place) ` +
    `as hashes from unnest(${arrays}) with ordinality as k (${names}, place)`;
  const [row] = await connection.query(sql, columns);
  const hashes = row?.['hashes'];
  return typeof hashes === 'string' ? numbersOf(hashes.split(',')) : NO_HASHES;
}

const NO_HASHES = new Float64Array(0);

/** A third of the time of Float64Array.from, which asks an iterator for each. */
function numbersOf(texts: readonly string[]): Float64Array {
  const numbers = new Float64Array(texts.length);
  for (let at = 0; at < texts.length; at++) numbers[at] = Number(texts[at]);
  return numbers;
}
