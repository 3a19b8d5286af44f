import type { Connection } from './connect.ts';

/**
 * Runs `work`, and ends its connection afterwards. An abort cuts the connection: no statement is waited
 * for.
 */
export async function withConnection<T>(
  connection: Connection,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const cut = (): void => connection.destroy();
  signal?.addEventListener('abort', cut);
  try {
    return await work();
  } finally {
    signal?.removeEventListener('abort', cut);
    await connection.end();
  }
}
