import { randomBytes } from 'node:crypto';
import type { Connection } from '../../src/target/connect.ts';
import { quoted } from '../../src/target/names.ts';

/**
 * A new database on the server of a URL, for as long as `use` takes; it is dropped at the end, however it
 * ends. What an example leaves running after an interrupt does not keep it alive.
 *
 * @throws EtlError ETL_PRIVILEGE where the role may not create one; what `use` throws
 */
export async function inOwnDatabase<Result>(
  connection: Connection,
  databaseUrl: string,
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  const database = `etl_example_${randomBytes(4).toString('hex')}`;
  await connection.query(`create database ${quoted(database)}`);
  try {
    return await use(withDatabase(databaseUrl, database));
  } finally {
    await connection.query(`drop database if exists ${quoted(database)} with (force)`);
  }
}

/**
 * The same server and session, another database. Not by URL: to it, `postgres://me@/db?host=/run` is
 * none, since its host is empty.
 */
export function withDatabase(databaseUrl: string, database: string): string {
  const parts = /^(postgres(?:ql)?:\/\/[^/?]*)(?:\/[^?]*)?(.*)$/.exec(databaseUrl);
  return `${parts?.[1] ?? 'postgres://'}/${encodeURIComponent(database)}${parts?.[2] ?? ''}`;
}
