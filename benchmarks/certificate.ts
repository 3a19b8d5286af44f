import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connect } from '../src/target/connect.ts';
import { benchmarkSession } from './measure/session.ts';
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
  databaseUrl: string,
  about: Pick<Certificate, 'startedAt' | 'suite' | 'seed' | 'etl'> & { readonly embedded: boolean },
): Promise<Omit<Certificate, 'finishedAt'>> {
  const { embedded, ...rest } = about;
  return {
    ...rest,
    machine: machineFacts(),
    node: process.version,
    commit: await commitOfCheckout(),
    server: { embedded, ...(await serverFacts(databaseUrl)) },
  };
}

/** Of the machine that loads; the server may be on another. */
export function machineFacts(): Certificate['machine'] {
  return {
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  };
}

/** As contenders find them: a session that sets nothing of its own. */
export async function serverFacts(
  databaseUrl: string,
): Promise<Pick<Certificate['server'], 'version' | 'settings'>> {
  const connection = await connect({ ...benchmarkSession(databaseUrl), session: {} });
  try {
    const [server] = await connection.query(`select current_setting('server_version') as version`);
    const rows = await connection.query(
      `select name, current_setting(name) as value
         from pg_settings where name = any($1) order by name`,
      [SETTINGS],
    );
    const settings = rows.map((row) => [String(row['name']), String(row['value'])] as const);
    return { version: String(server?.['version']), settings: Object.fromEntries(settings) };
  } finally {
    await connection.end();
  }
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
