import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { writeCode } from '../../tools/build/write-code.ts';
import { BUILT_DOORS_URL } from './built-doors.ts';
import { copyCluster, createCluster } from './copy-cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that the whole integration project shares; see database.ts. */
    readonly databaseUrl: string;
    /** A home of the embedded server that has never been started, to be copied; or empty: there is none. */
    readonly clusterHome: string;
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
  const doors = await buildDoors();
  const given = process.env['ETL_TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') {
    project.provide('databaseUrl', given);
    project.provide('clusterHome', '');
    return () => removeFolder(doors);
  }
  const home = join(tmpdir(), `etl-test-${randomBytes(6).toString('hex')}`);
  // In the home, so that it goes with it.
  const clusterHome = join(home, 'cluster');
  await createCluster(clusterHome);
  await copyCluster(clusterHome, home);
  const server = await startEmbedded({ home, mode: 'attached', settings: FAST, temporary: true });
  project.provide('databaseUrl', server.url);
  project.provide('clusterHome', clusterHome);
  return async () => {
    await server.release();
    await removeFolder(doors);
  };
}

/** Within the checkout, since what stays outside of the bundle is looked for from there. */
async function buildDoors(): Promise<string> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const folder = join(root, 'node_modules/.cache', `test-doors-${process.pid}`);
  await writeCode(root, folder);
  process.env[BUILT_DOORS_URL] = pathToFileURL(`${folder}/`).href;
  return folder;
}

function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}
