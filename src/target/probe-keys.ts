import type { Connection } from './connect.ts';
import { changedColumns, stagedColumn, type MergeSource, type MergeTarget } from './merge-sql.ts';
import { quoted } from './names.ts';
import { stagedValue } from './staging.ts';

/** Sampled keys that are looked up, and the rows below which looking is not worth it. */
const PROBED_KEYS = 1_000;
const ROWS_MIN = 5_000;

/** What a sample of the staged rows meets in the table, as shares from 0 to 1. */
export interface Probe {
  /** Keys that the table holds already. */
  readonly known: number;
  /** Rows that the table holds already, byte for byte. */
  readonly unchanged: number;
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
  const compared = changedColumns(target, source).map((column) => column.name);
  const staged = (name: string): string => stagedValue(stagedColumn(table, name));
  const keys = target.key.map((name, place) => `${staged(name)} as k${place}`);
  const values = compared.map((name, place) => `${staged(name)} as v${place}`);
  const matches = target.key.map((name, place) => `t.${quoted(name)} = s.k${place}`);
  const same =
    compared.length === 0
      ? 'true'
      : `row(${compared.map((name) => `t.${quoted(name)}`).join(', ')})::record *= ` +
        `row(${compared.map((_, place) => `s.v${place}`).join(', ')})::record`;
  const [row] = await connection.query(
    `select count(*)::float8 as sampled,
            count(t.*)::float8 as known,
            count(t.*) filter (where ${same})::float8 as unchanged
       from (select ${[...keys, ...values].join(', ')}
               from ${table.sqlName} tablesample system (${percent}) repeatable (1)) s
       left join ${quoted(target.schema)}.${quoted(target.name)} t on ${matches.join(' and ')}`,
  );
  const sampled = Number(row?.['sampled']);
  if (sampled === 0) return null;
  return {
    known: Number(row?.['known']) / sampled,
    unchanged: Number(row?.['unchanged']) / sampled,
  };
}
