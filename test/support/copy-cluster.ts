import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findBinaries } from '../../src/embedded/binaries.ts';
import { ensureCluster } from '../../src/embedded/cluster.ts';
import { openFolders } from '../../src/embedded/folders.ts';

/** Makes the data folder of an embedded server in this home, as its first start would. */
export async function createCluster(home: string): Promise<void> {
  const layout = await openFolders(home);
  await ensureCluster(layout, await findBinaries(layout, null));
}

/** Gives another home the same data, before any server has run there; `cp` keeps whose they are. */
export async function copyCluster(from: string, home: string): Promise<void> {
  const { dataDir } = await openFolders(home);
  await promisify(execFile)('cp', ['-a', join(from, 'data'), dataDir]);
}
