import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '../../src/embedded/embedded.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that the whole integration project shares; see database.ts. */
    readonly databaseUrl: string;
  }
}

/** Nobody needs these data after a crash. */
const FAST = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  max_prepared_transactions: '64',
};

/**
 * One server for all integration tests: that of ETL_TEST_DATABASE_URL, else an embedded one in a
 * temporary folder. It ends, and its folder goes, with this process, however this process ends.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['ETL_TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') {
    project.provide('databaseUrl', given);
    return async () => undefined;
  }
  const home = join(tmpdir(), `etl-test-${randomBytes(6).toString('hex')}`);
  const server = await startEmbedded({ home, mode: 'attached', settings: FAST, temporary: true });
  project.provide('databaseUrl', server.url);
  return () => server.release();
}
