import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Connection } from '../src/target/connect.ts';
import type { Certificate } from './results.ts';

/** Settings that decide what a load costs. */
const SETTINGS = [
  'autovacuum',
  'checkpoint_timeout',
  'fsync',
  'full_page_writes',
  'maintenance_work_mem',
  'max_connections',
  'max_prepared_transactions',
  'max_wal_size',
  'shared_buffers',
  'synchronous_commit',
  'wal_compression',
  'wal_level',
  'work_mem',
];

/** Where the results are born, but for when they were finished. */
export async function certify(
  connection: Connection,
  about: Pick<Certificate, 'startedAt' | 'suite' | 'seed' | 'etl'> & { readonly embedded: boolean },
): Promise<Omit<Certificate, 'finishedAt'>> {
  const { embedded, startedAt, suite, seed, etl } = about;
  const [server] = await connection.query(`select current_setting('server_version') as version`);
  const settings = await connection.query(
    'select name, current_setting(name) as value from pg_settings where name = any($1) order by name',
    [SETTINGS],
  );
  return {
    startedAt,
    suite,
    seed,
    etl,
    machine: {
      platform: `${process.platform} ${process.arch}`,
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryBytes: totalmem(),
    },
    node: process.version,
    commit: await commitOfCheckout(),
    server: {
      version: String(server?.['version']),
      embedded,
      settings: Object.fromEntries(
        settings.map((row) => [String(row['name']), String(row['value'])]),
      ),
    },
  };
}

/** An installed package lies in no checkout of its own; that of whoever uses it says nothing. */
async function commitOfCheckout(): Promise<string | null> {
  for (const place of ['../', '../../']) {
    const root = new URL(place, import.meta.url);
    if (!existsSync(new URL('package.json', root)) || !existsSync(new URL('.git', root))) continue;
    const git = promisify(execFile)('git', ['-C', fileURLToPath(root), 'rev-parse', 'HEAD']);
    return git.then(
      ({ stdout }) => stdout.trim(),
      () => null,
    );
  }
  return null;
}
