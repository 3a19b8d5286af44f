import type { Connection } from './connect.ts';
import type { TargetColumn } from './table.ts';

/**
 * Puts the schemas of the columns' types at the end of the session's search path: the operators of
 * an extension's type, or of a domain over one, lie in its schema, and where that is not on the path,
 * PostgreSQL takes those of the type's bytes without a word (citext compares as text then).
 */
export async function useSchemas(
  connection: Connection,
  columns: readonly Pick<TargetColumn, 'type'>[],
): Promise<void> {
  const others = [...new Set(columns.flatMap(({ type }) => type.operatorSchema ?? []))];
  if (others.length === 0) return;
  await connection.query(
    `select set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), $1::text), false)
      where strpos(', ' || current_setting('search_path') || ',', ', ' || $1 || ',') = 0`,
    [others.join(', ')],
  );
}
