import type { Connection } from './connect.ts';
import { quoted } from './names.ts';
import type { TargetColumn } from './table.ts';

/** Keys of one file as text: the smallest and the largest that are known of it. */
export interface TextSpan {
  readonly min: string | null;
  readonly max: string | null;
}

/**
 * For each span, whether all of it lies above the table's largest value (null: the table has no rows) and
 * above all spans before it. Told of spans that follow each other only: from the first on that does not,
 * none is above. The database compares, in the order of the column's index; one must begin with the column.
 * A span without keys is above all.
 */
export async function spansAbove(
  connection: Connection,
  table: { readonly schema: string; readonly name: string } | null,
  { name, type, collation }: TargetColumn,
  spans: readonly TextSpan[],
): Promise<boolean[]> {
  const value = (text: string): string =>
    `(${text}::${type.cast})${collation === null ? '' : ` collate ${collation}`}`;
  const rows = await connection.query(
    `with spans as (select place, ${value('low')} as low, ${value('high')} as high
                      from unnest($1::text[], $2::text[]) with ordinality as s (low, high, place)),
          pairs as (select place, low, lag(low) over (order by place) as low_before,
                           lag(high) over (order by place) as high_before
                      from spans where low is not null)
     select place::int4 as place,
            bool_and(low_before is null or (low > low_before and low > high_before))
                over (order by place)
              ${table === null ? '' : 'and (t.top is null or low > t.top)'} as above
       from pairs
       ${table === null ? '' : `left join (${topSql(table, name)}) t on true`}`,
    [spans.map(({ min }) => min), spans.map(({ max }) => max)],
  );
  const above = spans.map(() => true);
  for (const row of rows) above[Number(row['place']) - 1] = row['above'] === true;
  return above;
}

function topSql(table: { readonly schema: string; readonly name: string }, name: string): string {
  const from = `${quoted(table.schema)}.${quoted(table.name)}`;
  return `select ${quoted(name)} as top from ${from} order by ${quoted(name)} desc limit 1`;
}
