import { LIMITS } from '../limits.ts';
import { rowHash, shownValue, targetRows, type Difference } from './compared-rows.ts';
import type { Connection, Row } from './connect.ts';
import type { Reference } from './reference.ts';

/** Rows that have no key are told apart by their hash, and counted. */
export interface CopiesComparison {
  /** Rows of the reference. */
  readonly rows: number;
  /** Rows that the table lacks, or has too often. */
  readonly missing: number;
  readonly extra: number;
  /** In the order of the rows' hashes, which is none to people. */
  readonly differences: readonly Difference[];
}

/** Buckets whose counts and sums of hashes are compared before any row is. */
const BUCKETS = 1024;

/** `others`: the table may hold further rows, so only what it lacks is a difference. */
export async function compareCopies(
  connection: Connection,
  table: { readonly schema: string; readonly name: string },
  reference: Reference,
  others: boolean,
): Promise<CopiesComparison> {
  const columns = reference.columns.filter((column) => column.mark === null);
  const hashed = (rows: string): string =>
    `select ${rowHash(columns, 'x')} as h, x.* from (${rows}) x`;
  const ofReference = hashed(`select * from ${reference.sqlName}`);
  const ofTable = hashed(targetRows(table, reference));
  const [counted] = await connection.query(`select count(*) as rows from ${reference.sqlName}`);
  const rows = Number(counted?.['rows']);
  const buckets = await connection.query(bucketsSql(ofReference, ofTable));
  if (buckets.length === 0) return { rows, missing: 0, extra: 0, differences: [] };
  const found = await connection.query(copiesSql(ofReference, ofTable, others), [
    buckets.map((row) => Number(row['bucket'])),
  ]);
  const listed = found.filter((row) => row['h'] !== null);
  const shown = (row: string): string =>
    `array[${columns.map((column) => shownValue(column, row)).join(', ')}]`;
  const hashes = [listed.map((row) => String(row['h']))];
  const values = new Map<string, Row>();
  for (const side of [ofTable, ofReference]) {
    const rowsOfSide = await connection.query(
      `select distinct on (s.h) s.h, ${shown('s')} as shown
         from (${side}) s where s.h = any ($1::int8[]) order by s.h`,
      hashes,
    );
    for (const row of rowsOfSide) values.set(String(row['h']), row);
  }
  const names = columns.map((column) => column.target.name);
  return {
    rows,
    missing: Number(found[0]?.['missing']),
    extra: others ? 0 : Number(found[0]?.['extra']),
    differences: listed.map((row) =>
      differenceOf(row, values.get(String(row['h']))?.['shown'], names),
    ),
  };
}

function bucketsSql(ofReference: string, ofTable: string): string {
  const summed = (rows: string): string =>
    `select h & ${BUCKETS - 1} as bucket, count(*) as rows, sum(h) as hash from (${rows}) x group by 1`;
  return `select bucket from (${summed(ofReference)}) r full join (${summed(ofTable)}) t using (bucket)
           where (r.rows, r.hash) is distinct from (t.rows, t.hash)`;
}

/** Parameter: the buckets that differ. How much is missing and extra, beside the first such rows. */
function copiesSql(ofReference: string, ofTable: string, others: boolean): string {
  const counted = (rows: string, where: string): string =>
    `select h, count(*) as n from (${rows}) x
      where h & ${BUCKETS - 1} = any ($1::int8[])${where} group by h`;
  const differs = others ? 'reference > copies' : 'reference <> copies';
  return `
with r as materialized (${counted(ofReference, '')}),
     t as (${counted(ofTable, others ? ' and h in (select h from r)' : '')}),
     counted as materialized (
       select h, coalesce(r.n, 0) as reference, coalesce(t.n, 0) as copies
         from r ${others ? 'left' : 'full'} join t using (h))
select s.missing, s.extra, c.h, c.reference, c.copies
  from (select coalesce(sum(greatest(reference - copies, 0)), 0) as missing,
               coalesce(sum(greatest(copies - reference, 0)), 0) as extra from counted) s
  left join (select * from counted where ${differs}
              order by h limit ${LIMITS.verifyDifferencesMax}) c on true
 order by c.h`;
}

function differenceOf(row: Row, shown: unknown, names: readonly string[]): Difference {
  const values = shown as readonly (string | null)[] | undefined;
  const [reference, copies] = [Number(row['reference']), Number(row['copies'])];
  return {
    kind: reference > copies ? 'missing' : 'extra',
    key: Object.fromEntries(names.map((name, place) => [name, values?.[place] ?? null])),
    columns: [],
    copies: { reference, table: copies },
  };
}
