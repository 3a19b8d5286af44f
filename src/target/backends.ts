import type { Connection } from './connect.ts';

const LOOKS_MAX = 100;
const LOOK_MS = 50;

/**
 * Waits until no session of this name but our own is left: a thread that ends closes its socket,
 * and its backend sees that a moment later. Bounded, since somebody else may use the name.
 */
export async function waitForBackends(
  connection: Connection,
  applicationName: string,
  sleep: (ms: number) => Promise<unknown>,
): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const [row] = await connection.query(
      `select exists (select from pg_stat_activity
                       where application_name = $1 and pid <> pg_backend_pid()) as there`,
      [applicationName],
    );
    if (row?.['there'] !== true) return;
    await sleep(LOOK_MS);
  }
}
