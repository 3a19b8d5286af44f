import { EtlError } from '../errors.ts';
import type { Connection } from './connect.ts';

/** Those of the tables that hold a row. */
export async function stillFilled(
  connection: Connection,
  tables: readonly string[],
): Promise<string[]> {
  const filled: string[] = [];
  for (const sqlName of tables) {
    const [row] = await connection.query(`select exists (select from ${sqlName}) as there`);
    if (row?.['there'] === true) filled.push(sqlName);
  }
  return filled;
}

/**
 * Unlogged tables are empty after a crash of the server, and whoever connects again after it would
 * merge what is left of the staged rows: nothing, without an error. As a rule the lock's own connection
 * is lost with the server, which stops the run; but one of which nobody hears that it is dead
 * (its host is gone, a proxy holds it) does not tell. A crash empties a table as a whole, so one row
 * is proof enough.
 *
 * @throws EtlError ETL_SERVER where a table that was filled holds nothing
 */
export async function refuseEmptied(
  connection: Connection,
  filled: readonly string[],
  target: string,
): Promise<void> {
  if (filled.length === 0) return;
  const holds = filled.map((sqlName) => `exists (select from ${sqlName})`).join(' and ');
  const [row] = await connection.query(`select ${holds} as whole`);
  if (row?.['whole'] === true) return;
  throw new EtlError(
    'ETL_SERVER',
    'The staged rows are gone: the server has crashed since the files were staged.',
    'Nothing of them was merged. Run the same command again once the server is well.',
    { table: target },
  );
}
