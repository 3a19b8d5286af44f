import {
  comparedColumns,
  conflictSql,
  intoSql,
  mergedColumns,
  ownRowsSql,
  placeOf,
  stagedRowsSql,
  winnersSql,
  type MergeSource,
  type MergeTarget,
} from './merge-sql.ts';
import { quoted } from './names.ts';
import type { TargetColumn } from './table.ts';

/**
 * How staged rows meet the table's. `lookup`: one descent of the key's index for each; `join`: as
 * the planner likes, which knows neither the rows of a staging table nor how cheap a descent in the
 * order of the index is, and so hashes the whole table.
 *
 * 500,000 unchanged rows in the order of the key, CPU of the server: 0.75 to 0.9 s by lookup,
 * whatever the table's size; by join 0.5 to 0.7 s where the table holds these rows only, 1.9 s where
 * it holds 3 million.
 */
export type Meeting = 'lookup' | 'join';

/**
 * The merge that first drops the rows that the table holds already, byte for byte. They are neither
 * written nor locked, where ON CONFLICT locks a row, and writes WAL for that, before it looks at its
 * filter. 500,000 rows in order, CPU of the server, against `mergeSql`: all unchanged 0.95 s against
 * 2.0 s (and no WAL against 28 MB, 80 MB after a checkpoint); half of them 2.3 s against 2.6 s; none
 * 4.4 s against 3.4 s. So it is for loads of which a sample says that many rows are unchanged.
 *
 * Only for staged keys that are distinct: then each row is its key's winner, and is compared before
 * anything is sorted.
 */
export function mergeDistinctChangedSql(
  target: MergeTarget,
  source: MergeSource,
  meeting: Meeting,
): string {
  const columns = mergedColumns(target, source);
  const fields = columns.map((_, place) => `s.v${place}`).join(', ');
  const unchanged =
    meeting === 'lookup' ? lookupSql(target, source, 's') : joinSql(target, source, 's');
  const key = target.key.map((name) => `s.v${placeOf(columns, name)}`).join(', ');
  return `${intoSql(target, source)}
select ${fields}
  from (${stagedRowsSql(target, source, columns)}) s
 where ${unchanged}
 order by ${key}
${conflictSql(target, source)}`;
}

/**
 * The same for staged keys that may come several times: the winners are chosen first, since a row
 * that is as the table's may supersede one that is not. The sort that chooses them puts them into
 * the order of the index, too; without it, lookups of 500,000 rows in random order cost 2.2 s
 * instead of 0.9 s.
 *
 * With `compare` this is the one form that is right for any rows: a winner that differs from a row
 * that is staged before it is written whatever the table holds, and another one only where the
 * compared columns of the table's row differ, which ON CONFLICT could not tell apart.
 */
export function mergeChangedSql(target: MergeTarget, source: MergeSource): string {
  const columns = mergedColumns(target, source);
  const fields = columns.map((_, place) => `w.v${place}`).join(', ');
  const [told, turned] =
    target.compare === undefined
      ? (['values', ''] as const)
      : (['turned', 'w.turned or '] as const);
  return `${intoSql(target, source)}
select ${fields}
  from (${winnersSql(target, source, told)}) w
 where ${turned}${lookupSql(target, source, 'w')}
 order by ${target.key.map((name) => `w.v${placeOf(columns, name)}`).join(', ')}
${conflictSql(target, source)}`;
}

/** No join: a subquery of one row, which the planner cannot turn into one. */
function lookupSql(target: MergeTarget, source: MergeSource, staged: string): string {
  const { keys, same } = comparison(target, source, staged);
  return `(select ${same} from ${ownRowsSql(target)} o where ${keys}) is not true`;
}

function joinSql(target: MergeTarget, source: MergeSource, staged: string): string {
  const { keys, same } = comparison(target, source, staged);
  return `not exists (select from ${ownRowsSql(target)} o where ${keys} and ${same})`;
}

/**
 * Compares column by column where equal values have equal bytes, and the bytes themselves (`*=`,
 * made for the refresh of materialized views) of the others, as `mergeSql` does of all: 0.7 s
 * against 0.8 s per 500,000 unchanged rows of 8 columns, since no records need be built.
 */
function comparison(
  target: MergeTarget,
  source: MergeSource,
  staged: string,
): { keys: string; same: string } {
  const columns = mergedColumns(target, source);
  const old = ({ name }: TargetColumn): string => `o.${quoted(name)}`;
  const fresh = ({ name }: TargetColumn): string => `${staged}.v${placeOf(columns, name)}`;
  const compared = comparedColumns(target, source);
  const images = compared.filter((column) => !column.type.bytewise);
  const same = compared
    .filter((column) => column.type.bytewise)
    .map((column) => `${old(column)} is not distinct from ${fresh(column)}`);
  if (images.length > 0) {
    const record = (of: (column: TargetColumn) => string): string =>
      `row(${images.map(of).join(', ')})::record`;
    same.push(`${record(old)} *= ${record(fresh)}`);
  }
  const keys = target.key.map((name) => `o.${quoted(name)} = ${staged}.v${placeOf(columns, name)}`);
  return { keys: keys.join(' and '), same: same.join(' and ') };
}
