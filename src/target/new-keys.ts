import type { Connection } from './connect.ts';
import { quoted } from './names.ts';
import { stagedColumn, type MergeSource, type MergeTarget } from './merge-sql.ts';
import { stagedValue } from './staging.ts';

/** Sampled keys that are looked up, and the rows below which looking is not worth it. */
const PROBED_KEYS = 1_000;
const ROWS_MIN = 5_000;

/**
 * Whether the staged keys are probably all new to the table: a sample of whole pages of staging is
 * looked up in the key's index, a few milliseconds. A wrong yes costs a try, never a row: the
 * unique index refuses the plain INSERT, and the merge falls back.
 */
export async function keysLookNew(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
  rows: number,
): Promise<boolean> {
  const table = source.tables[0];
  if (rows < ROWS_MIN || table === undefined) return false;
  const percent = Math.min(100, (100 * PROBED_KEYS * source.tables.length) / rows);
  const matches = target.key.map((name, place) => `t.${quoted(name)} = s.k${place}`);
  const keys = target.key.map((name, place) => {
    return `${stagedValue(stagedColumn(table, name))} as k${place}`;
  });
  const [row] = await connection.query(
    `select exists (
       select from (select ${keys.join(', ')} from ${table.sqlName}
                    tablesample system (${percent}) repeatable (1)) s
         join ${quoted(target.schema)}.${quoted(target.name)} t on ${matches.join(' and ')}) as known`,
  );
  return row?.['known'] === false;
}
