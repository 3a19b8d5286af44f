import type { Connection } from './connect.ts';
import {
  comparedColumns,
  ownRowsSql,
  stagedColumn,
  tableSql,
  type MergeSource,
  type MergeTarget,
} from './merge-sql.ts';
import { literal, quoted } from './names.ts';
import { stagedValue } from './staging.ts';

/**
 * Sampled keys that are looked up, and the rows below which looking is not worth it: of 5,000 rows it takes
 * a sixth of the CPU of the whole upsert on the server, more than a better form of the merge could save.
 */
const PROBED_KEYS = 1_000;
const ROWS_MIN = 10_000;

/** What a sample of the staged rows meets in the table, as shares from 0 to 1. */
export interface Probe {
  /** Keys that the table holds already. */
  readonly known: number;
  /** Rows that the table holds already, byte for byte in all columns that are compared. */
  readonly unchanged: number;
  /** Rows whose leading key column is not below that of the row before them. */
  readonly ascending: number;
  /** Bytes of the table over bytes of the staging; null where the table's are not known. */
  readonly tableShare: number | null;
}

/**
 * Looks a sample of whole pages of staging up in the key's index, a few milliseconds. It chooses
 * the form of the merge, that is, speed; each form is right whatever the rows turn out to be. Null
 * where there are too few rows to make a choice worth it.
 */
export async function probeKeys(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
  rows: number,
): Promise<Probe | null> {
  const table = source.tables[0];
  if (rows < ROWS_MIN || table === undefined) return null;
  const percent = Math.min(100, (100 * PROBED_KEYS * source.tables.length) / rows);
  const compared = comparedColumns(target, source).map((column) => column.name);
  const staged = (name: string): string => stagedValue(stagedColumn(table, name));
  const keys = target.key.map((name, place) => `${staged(name)} as k${place}`);
  const matches = target.key.map((name, place) => `t.${quoted(name)} = s.k${place}`);
  const same =
    compared.length === 0
      ? 'true'
      : `row(${compared.map((name) => `t.${quoted(name)}`).join(', ')})::record *= ` +
        `row(${compared.map((_, place) => `s.v${place}`).join(', ')})::record`;
  const values = [...keys, ...compared.map((name, place) => `${staged(name)} as v${place}`)];
  const [row] = await connection.query(
    `select count(*)::float8 as sampled,
            count(t.*)::float8 as known,
            count(t.*) filter (where ${same})::float8 as unchanged,
            count(*) filter (where s.ascends)::float8 as ascending,
            ${tableShareSql(target, source)} as table_share
       from (select *, coalesce(k0 >= lag(k0) over (order by etl_row), true) as ascends
               from (select etl_row, ${values.join(', ')}
                       from ${table.sqlName} tablesample system (${percent}) repeatable (1)) r) s
       left join ${ownRowsSql(target)} t on ${matches.join(' and ')}`,
  );
  const share = (name: string): number => Number(row?.[name]) / Number(row?.['sampled']);
  if (Number(row?.['sampled']) === 0) return null;
  const tableShare = row?.['table_share'];
  return {
    known: share('known'),
    unchanged: share('unchanged'),
    ascending: share('ascending'),
    tableShare: typeof tableShare === 'number' ? tableShare : null,
  };
}

/** A table that consists of partitions has no bytes of its own. An owner has its share of staging. */
function tableShareSql(target: MergeTarget, { tables, owner }: MergeSource): string {
  const bytes = (sqlName: string): string => `pg_relation_size(${literal(sqlName)}::regclass)`;
  const stagedBytes = tables.map(({ sqlName }) => bytes(sqlName)).join(' + ');
  return `(nullif(${bytes(tableSql(target))}, 0)::float8 * ${owner?.count ?? 1} / nullif(${stagedBytes}, 0))`;
}
