import type { Connection, Row } from './connect.ts';
import { literal, quoted } from './names.ts';
import { ROW_TEXT_SETTINGS } from './row-text.ts';
import type { TargetColumn } from './table.ts';
import { inTransaction } from './transaction.ts';

export interface KeyedTable {
  readonly schema: string;
  readonly name: string;
  /** Columns of the key. */
  readonly key: readonly TargetColumn[];
}

/**
 * The rows of the table that have these keys, as COPY TO would spell the columns asked for; null where
 * the table has no such row. One statement for all of them. Keys are text, by column of the key.
 */
export async function rowsOfKeys(
  connection: Connection,
  { schema, name, key }: KeyedTable,
  columns: readonly string[],
  keys: readonly (readonly (string | null)[])[],
): Promise<((string | null)[] | null)[]> {
  const given = key.map((_, place) => keys.map((row) => row[place] ?? null));
  const arrays = key.map((_, place) => `$${place + 1}::text[]`).join(', ');
  const names = key.map((_, place) => `k${place}`).join(', ');
  const matches = key.map(
    (column, place) => `t.${quoted(column.name)} = k.k${place}::${column.type.cast}`,
  );
  // format() spells a value by its type's own output, where a cast writes booleans out.
  const texts = columns.map(
    (column) =>
      `case when t.${quoted(column)} is not null then format('%s', t.${quoted(column)}) end`,
  );
  const found = await inTransaction(connection, async () => {
    await connection.query(ROW_TEXT_SETTINGS);
    return connection.query(
      `select k.place::int4 as place, array[${texts.join(', ')}]::text[] as fields
         from unnest(${arrays}) with ordinality as k (${names}, place)
         join only ${quoted(schema)}.${quoted(name)} t on ${matches.join(' and ')}`,
      given,
    );
  });
  const rows: ((string | null)[] | null)[] = keys.map(() => null);
  for (const row of found) rows[Number(row['place']) - 1] = row['fields'] as (string | null)[];
  return rows;
}

/** How many rows the server's planner expects between two keys. */
export async function rowsBetween(
  connection: Connection,
  { schema, name, key: [leading] }: KeyedTable,
  min: string,
  max: string,
): Promise<number | null> {
  if (leading === undefined) return null;
  const value = (text: string): string => `${literal(text)}::${leading.type.cast}`;
  const [row] = await connection.query(
    `explain (format json) select from only ${quoted(schema)}.${quoted(name)}
      where ${quoted(leading.name)} between ${value(min)} and ${value(max)}`,
  );
  return planRows(row);
}

function planRows(row: Row | undefined): number | null {
  const plans = row?.['QUERY PLAN'] as readonly { readonly Plan?: { 'Plan Rows'?: number } }[];
  return plans[0]?.Plan?.['Plan Rows'] ?? null;
}
