import type { Connection } from './connect.ts';

const LOOKS = 3;

/**
 * Whether something between us and the server gives a session another backend in each transaction,
 * as PgBouncer does with `pool_mode = transaction`: then temporary tables, settings and locks of a
 * session are lost between two statements. Asking it (`show pool_mode`) needs its own console; so it
 * is provoked: while another session holds a transaction open, ours cannot get the same backend
 * again, unless it is ours alone. A pool of one backend makes it wait instead, which tells as much.
 */
export async function backendsChange(
  connection: Connection,
  other: Connection,
  sleep: (ms: number) => Promise<unknown>,
): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    const before = await backendOf(connection);
    await other.query('begin');
    try {
      await backendOf(other);
      const asked = backendOf(connection);
      const after = await Promise.race([asked, sleep(WAIT_MS).then(() => null)]);
      if (after !== before) {
        await other.query('rollback');
        await asked;
        return true;
      }
    } finally {
      await other.query('rollback');
    }
  }
  return false;
}

const WAIT_MS = 2_000;

async function backendOf(connection: Connection): Promise<number> {
  const [row] = await connection.query('select pg_backend_pid() as pid');
  return Number(row?.['pid']);
}
