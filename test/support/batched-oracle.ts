import { loadSequentially, tableDigest, type OracleFile } from '../../tools/oracle.ts';
import type { TestSessions } from './database.ts';

const STATEMENTS = 1_000;

/**
 * The digest of a table as the files leave it row by row. The oracle's statements run one by one in
 * their order, but many in a message: ten thousand rows take a second.
 */
export async function oracleDigest(
  db: Pick<TestSessions, 'query'>,
  createSql: (table: string) => string,
  onConflict: 'update' | 'append',
  files: readonly OracleFile[],
): Promise<string> {
  await db.query(`drop table if exists oracle; ${createSql('oracle')}`);
  let batch: string[] = [];
  const send = async (): Promise<void> => {
    await db.query(batch.join(';\n'));
    batch = [];
  };
  const key = onConflict === 'append' ? [] : ['id'];
  await loadSequentially(
    async (sql, params) => {
      batch.push(sql.replaceAll(/\$(\d)/g, (_, place) => literal(params[Number(place) - 1])));
      if (batch.length === STATEMENTS) await send();
    },
    { table: 'oracle', columns: ['id', 'name', 'n'], key, onConflict, versionColumn: null },
    files,
  );
  await send();
  return digestOf(db, 'oracle');
}

export async function digestOf(db: Pick<TestSessions, 'query'>, table: string): Promise<string> {
  const [row] = await db.query<{ digest: string }>(tableDigest(table));
  return row?.digest ?? '';
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : 'null';
}
