import type { Connection } from './connect.ts';
import {
  comparedColumns,
  conflictSql,
  intoSql,
  mergedColumns,
  needsAllRows,
  ownRowsSql,
  placeOf,
  stagedRowsSql,
  winnerFirst,
  type MergeSource,
  type MergeTarget,
} from './merge-sql.ts';
import { quoted } from './names.ts';
import type { TargetColumn } from './table.ts';

/** A merge of winners alone, and how many there are. */
export interface WinnersInTurn {
  readonly sql: string;
  readonly keys: number;
}

/**
 * The merge of a table in which a row may be refused because of a row of another key, where keys are staged
 * several times and one statement does what a load row by row does nevertheless; null where none does.
 *
 * With `ignore`, the first row of a key is all that a load row by row writes of it: so these, in their own
 * order. Else all rows of a key take and free the same values of the other unique indexes where they hold
 * the same bytes in the columns of these: the first one does, and those behind it change nothing of it. So
 * the winner of each key, in the place of its first row. With `newest`, where the first row may have to give
 * way to the table's, only if that holds the same bytes there, too.
 *
 * Where a key comes with other values (an address that changes, and frees the old one for another key), see
 * mergeStretches.
 */
export async function winnersInTurn(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
): Promise<WinnersInTurn | null> {
  if (needsAllRows(target)) return null;
  const columns = mergedColumns(target, source);
  const key = keyOf(target, columns);
  const rows = stagedRowsSql(target, source, columns);
  const [row] = await connection.query(
    `select count(*) filter (where s.place = 1)::float8 as keys, count(*) filter (where s.moves)::float8 as moves
       from (select row_number() over w as place, ${movesSql(target, columns)} as moves
               from (${rows}) s
             window w as (partition by ${key} order by s.etl_file, s.etl_row),
                    whole as (w rows between unbounded preceding and unbounded following)) s`,
  );
  if (Number(row?.['moves']) > 0) return null;
  const fields = columns.map((_, place) => `s.v${place}`).join(', ');
  const sql = `${intoSql(target, source)}
select ${fields}
  from (select s.*, row_number() over (partition by ${key} order by ${winnerFirst(target, columns)}) as rank,
               first_value(s.etl_file) over w as first_file, first_value(s.etl_row) over w as first_row
          from (${rows}) s
        window w as (partition by ${key} order by s.etl_file, s.etl_row)) s
 where s.rank = 1 order by s.first_file, s.first_row
${conflictSql(target, source, comparedColumns(target, source))}`;
  return { sql, keys: Number(row?.['keys']) };
}

/** Whether a row takes, or frees, other values than the one of its key before it. */
function movesSql(target: MergeTarget, columns: readonly TargetColumn[]): string {
  const tied = tiedPlaces(target, columns);
  if (target.onConflict === 'ignore' || tied.length === 0) return 'false';
  const moves = turnsSql(tied);
  if (target.onConflict === 'update') return moves;
  const own = tied.map((place) => `o.${quoted(columns[place]?.name ?? '')}`);
  const matches = target.key.map((name) => `o.${quoted(name)} = s.v${placeOf(columns, name)}`);
  return `${moves} or count(*) over whole > 1 and exists (
                 select from ${ownRowsSql(target)} o
                  where ${matches.join(' and ')} and row(${own.join(', ')})::record *<> ${valuesSql(tied)})`;
}

/** Over a window `w` of the rows of a key in their order; null for the first. */
export function turnsSql(tied: readonly number[]): string {
  const before = tied.map((place) => `lag(s.v${place}) over w`);
  return `lag(true) over w and row(${before.join(', ')})::record *<> ${valuesSql(tied)}`;
}

function valuesSql(places: readonly number[]): string {
  return `row(${places.map((place) => `s.v${place}`).join(', ')})::record`;
}

/** Places of the staged columns on which it depends which rows are refused. */
export function tiedPlaces(target: MergeTarget, columns: readonly TargetColumn[]): number[] {
  const { coupledColumns } = target;
  return columns.flatMap(({ name }, place) =>
    coupledColumns === undefined || coupledColumns.includes(name) ? [place] : [],
  );
}

/** Of staged rows `s`. */
export function keyOf(target: MergeTarget, columns: readonly TargetColumn[]): string {
  return target.key.map((name) => `s.v${placeOf(columns, name)}`).join(', ');
}
