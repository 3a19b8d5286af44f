import { EtlError, errorRecordOf } from '../src/errors.ts';
import type { Connection } from '../src/target/connect.ts';
import { quoted } from '../src/target/names.ts';

/**
 * Makes a schema for what is measured. That is asked first, since without it every contender would fail
 * for the same reason.
 *
 * @throws EtlError ETL_PRIVILEGE with the grant that the role lacks
 */
export async function createScratchSchema(connection: Connection, name: string): Promise<void> {
  try {
    await connection.query(`create schema ${quoted(name)}`);
  } catch (cause) {
    if (errorRecordOf(cause).code !== 'ETL_PRIVILEGE') throw cause;
    const [row] = await connection.query(
      'select quote_ident(current_database()) as database, quote_ident(current_user) as role',
    );
    const [database, role] = [String(row?.['database']), String(row?.['role'])];
    throw new EtlError(
      'ETL_PRIVILEGE',
      `Measurements are made in a scratch schema, and the role ${role} may not make one in ${database}.`,
      `Let it: grant create on database ${database} to ${role}; or name another database with --database-url.`,
      {},
      { cause },
    );
  }
}
