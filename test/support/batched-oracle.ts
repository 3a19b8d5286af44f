import {
  loadSequentially,
  tableDigest,
  type OracleFile,
  type OracleTable,
} from '../../tools/oracle.ts';
import type { TestSessions } from './database.ts';

/**
 * What `loadSequentially` does, of which no statement may fail: one statement a row, but all of a file
 * in a loop on the server, where each is planned once. 10,000 rows take a tenth of the time. Not for types
 * whose cast from text is not how they are read, such as regclass.
 */
export async function loadInBatches(
  db: Pick<TestSessions, 'query'>,
  target: OracleTable,
  files: readonly OracleFile[],
): Promise<void> {
  const types = await typesOf(db, target.table);
  for (const file of files) {
    const rows: (readonly unknown[])[] = [];
    let statement = '';
    await loadSequentially(
      async (sql, params) => {
        statement = sql;
        rows.push(params);
      },
      target,
      [file],
    );
    if (rows.length > 0) await loop(db, withCells(statement, file.columns, types), rows);
  }
}

/** The type of each column, without its modifier: what a parameter of the statement would have. */
async function typesOf(
  db: Pick<TestSessions, 'query'>,
  table: string,
): Promise<ReadonlyMap<string, string>> {
  const columns = await db.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, -1) as type
       from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [table],
  );
  return new Map(columns.map(({ name, type }) => [name, type]));
}

function withCells(
  statement: string,
  columns: readonly string[],
  types: ReadonlyMap<string, string>,
): string {
  return statement.replaceAll(/\$(\d+)/g, (_, place: string) => {
    const column = columns[Number(place) - 1] ?? '';
    return `oracle_cells[${place}]::${types.get(column) ?? ''}`;
  });
}

async function loop(
  db: Pick<TestSessions, 'query'>,
  statement: string,
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  await db.query(`select set_config('oracle.rows', $1, false)`, [JSON.stringify(rows)]);
  await db.query(`do $oracle$
    #variable_conflict use_column
    declare oracle_cells text[];
    begin
      for oracle_cells in
        select array(select jsonb_array_elements_text(one))
          from jsonb_array_elements(current_setting('oracle.rows')::jsonb)
               with ordinality as all_rows (one, place)
         order by place
      loop
        ${statement};
      end loop;
    end $oracle$`);
}

/** The digest of a table as the files leave it row by row. */
export async function oracleDigest(
  db: Pick<TestSessions, 'query'>,
  createSql: (table: string) => string,
  onConflict: 'update' | 'append',
  files: readonly OracleFile[],
): Promise<string> {
  await db.query(`drop table if exists oracle; ${createSql('oracle')}`);
  const key = onConflict === 'append' ? [] : ['id'];
  const columns = ['id', 'name', 'n'];
  await loadInBatches(
    db,
    { table: 'oracle', columns, key, onConflict, versionColumn: null },
    files,
  );
  return digestOf(db, 'oracle');
}

export async function digestOf(db: Pick<TestSessions, 'query'>, table: string): Promise<string> {
  const [row] = await db.query<{ digest: string }>(tableDigest(table));
  return row?.digest ?? '';
}
