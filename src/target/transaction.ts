import type { Connection } from './connect.ts';

/** Runs the work in a transaction; whatever it throws rolls everything back. */
export async function inTransaction<T>(
  connection: Connection,
  work: () => Promise<T>,
  begin: 'begin' | 'begin read write' = 'begin',
): Promise<T> {
  await connection.query(begin);
  try {
    const result = await work();
    await connection.query('commit');
    return result;
  } catch (error) {
    // Where the line is lost there is nothing to roll back: the server has done it.
    if (connection.usable()) await connection.query('rollback').catch(() => undefined);
    throw error;
  }
}
