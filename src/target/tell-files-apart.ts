import type { Connection } from './connect.ts';
import type { StagingTable } from './staging.ts';

/** A file whose rows were staged by one COPY with those of others. */
export interface CopiedFile {
  readonly ordinal: number;
  readonly rows: number;
}

/**
 * Gives the rows of one COPY, staged under its first file's ordinal, each the ordinal of their own
 * file: they are numbered in the order in which they were sent. A numbering may have gaps (rows of a
 * COPY that failed take numbers, too), so the first row of each file is found by its rank.
 */
export async function tellFilesApart(
  connection: Connection,
  table: StagingTable,
  files: readonly CopiedFile[],
): Promise<void> {
  const filled = files.filter((file) => file.rows > 0);
  const firstRanks: number[] = [];
  let rank = 1;
  for (const { rows } of filled) {
    firstRanks.push(rank);
    rank += rows;
  }
  const ordinals = filled.map((file) => file.ordinal);
  await connection.query(
    `with first_rows as (
       select array_agg(etl_row order by etl_row) as numbers
         from (select etl_row, row_number() over (order by etl_row) as rank
                 from ${table.sqlName} where etl_file = $1) r
        where rank = any ($2::bigint[]))
     update ${table.sqlName}
        set etl_file = ($3::int[])[width_bucket(etl_row, (select numbers from first_rows))]
      where etl_file = $1`,
    [files[0]?.ordinal ?? 0, firstRanks, ordinals],
  );
}

/** Numbers the rows of such files from 1, as far as the table holds them. */
export async function numberRows(
  connection: Connection,
  table: StagingTable,
  ordinals: readonly number[],
): Promise<void> {
  await connection.query(
    `update ${table.sqlName} s set etl_row = s.etl_row - f.before
       from (select etl_file, min(etl_row) - 1 as before from ${table.sqlName}
              where etl_file = any ($1::int[]) group by etl_file) f
      where s.etl_file = f.etl_file and f.before > 0`,
    [[...ordinals]],
  );
}
