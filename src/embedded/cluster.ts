import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EtlError } from '../errors.ts';
import type { ServerBinaries } from './binaries.ts';
import { DATABASE, ROLE, type Layout } from './layout.ts';
import { lastLines, privateFolder, runAsServerUser } from './server-user.ts';
import { SETTINGS_FILE } from './settings.ts';

const INITDB_TIMEOUT_MS = 120_000;

/** The data folder, made complete on first use, and refused where another version made it. */
export async function ensureCluster(layout: Layout, binaries: ServerBinaries): Promise<void> {
  const found = await clusterVersion(layout);
  if (found === null) return createCluster(layout, binaries);
  const wanted = majorOf(binaries.version);
  if (found === wanted) return;
  throw new EtlError(
    'ETL_EMBEDDED',
    `The data in ${layout.dataDir} was made by PostgreSQL ${found}, and this is ${wanted}.`,
    'Set ETL_EMBEDDED_DIR to another folder, or move the old data with pg_dump or pg_upgrade.',
  );
}

/** The major version that made the data folder; null where there is none. */
export async function clusterVersion(layout: Layout): Promise<string | null> {
  return readFile(join(layout.dataDir, 'PG_VERSION'), 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
}

/**
 * initdb and the database in a folder aside, renamed when complete: a process that is killed in
 * the middle leaves nothing that looks like a data folder. `postgres --single` creates the
 * database, since no psql is shipped and a client library is not this room's business.
 */
async function createCluster(layout: Layout, binaries: ServerBinaries): Promise<void> {
  const dir = layout.newDataDir;
  await rm(dir, { recursive: true, force: true });
  await privateFolder(dir);
  const initdb = ['-D', dir, '-U', ROLE, '--auth=trust', '--encoding=UTF8', '--no-sync'];
  await step(layout, binaries.initdb, [...initdb, ...localeOptions(binaries)]);
  const single = ['--single', '-F', '-D', dir, '-c', 'exit_on_error=on', 'template1'];
  await step(layout, binaries.postgres, single, `create database ${DATABASE};\n`);
  await writeFile(join(dir, SETTINGS_FILE), '');
  await appendFile(join(dir, 'postgresql.conf'), `\ninclude_if_exists = '${SETTINGS_FILE}'\n`);
  await rename(dir, layout.dataDir);
}

/** Bytes decide the order, as in C, and case mapping knows Unicode: the same on every machine. */
function localeOptions(binaries: ServerBinaries): readonly string[] {
  if (Number(majorOf(binaries.version)) >= 17) {
    return ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  }
  return [process.platform === 'darwin' ? '--locale=C' : '--locale=C.UTF-8'];
}

async function step(
  layout: Layout,
  file: string,
  args: readonly string[],
  input = '',
): Promise<void> {
  const cwd = layout.newDataDir;
  const result = await runAsServerUser(file, args, { cwd, timeoutMs: INITDB_TIMEOUT_MS, input });
  if (result.code === 0) return;
  throw new EtlError(
    'ETL_EMBEDDED',
    `The embedded PostgreSQL could not be set up in ${layout.home}: ${lastLines(result.output)}`,
    'Check the space on the disk, and that every user may pass through the folders above it ' +
      '(as root, the server runs as nobody); or set ETL_EMBEDDED_DIR to another folder.',
  );
}

function majorOf(version: string): string {
  return /^\d+/.exec(version)?.[0] ?? version;
}
