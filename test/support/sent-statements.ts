import pg from 'pg';
import { vi } from 'vitest';

export interface Sent<T> {
  readonly ended: T;
  /** In their order; those of sessions on this thread. */
  readonly statements: readonly string[];
}

/** The statements that are sent while `work` goes on. A COPY counts once. */
export async function sentDuring<T>(work: () => Promise<T>): Promise<Sent<T>> {
  const sent = vi.spyOn(pg.Client.prototype, 'query');
  try {
    const ended = await work();
    const statements = sent.mock.calls.map(([asked]: unknown[]) =>
      typeof asked === 'string' ? asked : String((asked as { text?: unknown }).text),
    );
    return { ended, statements };
  } finally {
    sent.mockRestore();
  }
}
