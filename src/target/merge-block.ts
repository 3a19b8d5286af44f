import type { Connection } from './connect.ts';
import type { MergeCounts } from './counts.ts';
import { dollarQuoted } from './names.ts';

/**
 * A merge in PL/pgSQL, which adds what it does to `etl_inserted`, `etl_updated` and `etl_unchanged`. All names
 * of its own begin with etl_, and a column of such a name goes first.
 */
export interface MergeBlock {
  /** Each with its semicolon. */
  readonly variables: string;
  readonly statements: string;
}

/** Inside a transaction, by a setting of which the counts come back: a block returns nothing. */
export async function mergeByBlock(
  connection: Connection,
  { variables, statements }: MergeBlock,
): Promise<MergeCounts> {
  await connection.query(
    `do ${dollarQuoted(`
#variable_conflict use_column
declare
  ${variables}
  etl_inserted bigint := 0; etl_updated bigint := 0; etl_unchanged bigint := 0;
begin
  ${statements}
  perform set_config('etl.merged', concat_ws(' ', etl_inserted, etl_updated, etl_unchanged), true);
end`)}`,
  );
  const [row] = await connection.query(
    `select string_to_array(current_setting('etl.merged'), ' ')::float8[] as counts`,
  );
  const [inserted = 0, updated = 0, unchanged = 0] = row?.['counts'] as readonly number[];
  return { inserted, updated, unchanged };
}
