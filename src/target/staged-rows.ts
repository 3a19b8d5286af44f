import type { Connection } from './connect.ts';
import { stagedRowsSql, type MergeSource, type MergeTarget } from './merge-sql.ts';

/** How many rows a merge takes, where a condition leaves some of the staged ones out. */
export async function countStagedRows(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
): Promise<number> {
  const [row] = await connection.query(
    `select count(*)::float8 as n from (${stagedRowsSql(target, source, [])}) s`,
  );
  return Number(row?.['n']);
}
