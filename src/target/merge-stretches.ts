import type { Connection } from './connect.ts';
import type { MergeCounts } from './counts.ts';
import { mergeByBlock, type MergeBlock } from './merge-block.ts';
import { keyOf, tiedPlaces, turnsSql } from './merge-coupled-sql.ts';
import {
  comparedColumns,
  conflictSql,
  intoSql,
  mergedColumns,
  needsAllRows,
  ownRowsSql,
  placeOf,
  stagedRowsSql,
  type MergeSource,
  type MergeTarget,
} from './merge-sql.ts';
import { quoted } from './names.ts';
import type { TargetColumn } from './table.ts';

/**
 * The merge row by row, in statements of as many rows as may be: the staged rows in their own order, cut
 * before each row whose key the stretch has already. The server checks each row of a statement as it comes, so
 * one that is refused because of a row of another key is refused as it would be by itself.
 *
 * With `update`, rows that leave the values of the other unique indexes as the one of their key before them
 * had them are not even counted: the last of such a run is written in the place of its first; see
 * winnersInTurn.
 */
export async function mergeStretches(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
): Promise<MergeCounts> {
  return mergeByBlock(connection, inStretches(target, source));
}

function inStretches(target: MergeTarget, source: MergeSource): MergeBlock {
  const columns = mergedColumns(target, source);
  const fields = columns.map((_, place) => `s.v${place}`).join(', ');
  const matches = target.key.map(
    (name) => `etl_own.${quoted(name)} = s.v${placeOf(columns, name)}`,
  );
  // Not as EXISTS, for which the server may hash the whole table.
  const known = `(select true from ${ownRowsSql(target)} etl_own where ${matches.join(' and ')} limit 1)`;
  const stretch = 'from pg_temp.etl_turns s where s.etl_turn >= etl_from and s.etl_turn < etl_to';
  return {
    variables: `etl_cut record; etl_cuts bigint[] := '{}'; etl_from bigint := 1; etl_to bigint;
  etl_held bigint; etl_known bigint; etl_written bigint;`,
    statements: `create temp table etl_turns as
    select s.*, lag(s.etl_turn) over (partition by ${keyOf(target, columns)} order by s.etl_turn) as etl_before
      from (${turnsOf(target, source, columns)}) s order by s.etl_turn;
  create index on pg_temp.etl_turns (etl_turn);
  for etl_cut in select s.etl_turn, s.etl_before from pg_temp.etl_turns s
                  where s.etl_before is not null order by s.etl_turn loop
    continue when etl_cut.etl_before < etl_from;
    etl_from := etl_cut.etl_turn;
    etl_cuts := etl_cuts || etl_from;
  end loop;
  etl_cuts := etl_cuts || (select max(s.etl_turn) + 1 from pg_temp.etl_turns s);
  etl_from := 1;
  foreach etl_to in array etl_cuts loop
    select count(*), count(${known}) into etl_held, etl_known ${stretch};
    ${intoSql(target, source)} select ${fields} ${stretch} order by s.etl_turn
    ${conflictSql(target, source, comparedColumns(target, source))};
    get diagnostics etl_written = row_count;
    etl_inserted := etl_inserted + etl_held - etl_known;
    etl_updated := etl_updated + etl_written - etl_held + etl_known;
    etl_unchanged := etl_unchanged + etl_held - etl_written;
    etl_from := etl_to;
  end loop;
  drop table pg_temp.etl_turns;`,
  };
}

/** The rows that are merged, numbered from 1 in the order of their turns. */
function turnsOf(
  target: MergeTarget,
  source: MergeSource,
  columns: readonly TargetColumn[],
): string {
  const rows = stagedRowsSql(target, source, columns);
  const fields = columns.map((_, place) => `s.v${place}`).join(', ');
  if (target.onConflict !== 'update' || needsAllRows(target)) {
    return `select row_number() over (order by s.etl_file, s.etl_row) as etl_turn, ${fields} from (${rows}) s`;
  }
  const key = keyOf(target, columns);
  const tied = tiedPlaces(target, columns);
  const moves = tied.length === 0 ? 'false' : turnsSql(tied);
  return `select row_number() over (order by s.first_file, s.first_row) as etl_turn, ${fields}
      from (select s.*, lead(s.etl_row) over w is null as ends,
                   first_value(s.etl_file) over w as first_file, first_value(s.etl_row) over w as first_row
              from (select s.*, count(*) filter (where s.moves) over w as run
                      from (select s.*, ${moves} as moves from (${rows}) s
                            window w as (partition by ${key} order by s.etl_file, s.etl_row)) s
                    window w as (partition by ${key} order by s.etl_file, s.etl_row)) s
            window w as (partition by ${key}, s.run order by s.etl_file, s.etl_row)) s
     where s.ends`;
}
