import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { checkScenario } from '../../benchmarks/scenario.ts';
import { runBenchmark } from '../../benchmarks/run-benchmark.ts';
import { PASSWORD_NOTICE } from '../../src/cli/hide-password.ts';
import { etl, type EtlEnd } from '../support/etl.ts';
import { startGuardedServer, type GuardedServer } from '../support/guarded-server.ts';

/** A password must not be found anywhere but where it was put, however a run ends. */
const SECRET = `s3cr3t p@ss/w"o'rd#%41?&=\\é`;
const WRONG = `wr0ng3 p@ss/w"o'rd#%41?&=\\é`;
/** Distinctive parts, too: a text may have been cut, or escaped for JSON, SQL or a shell. */
const FORMS = [SECRET, WRONG].flatMap((secret) => [
  ...[secret, encodeURIComponent(secret), encodeURI(secret), JSON.stringify(secret).slice(1, -1)],
  ...[Buffer.from(secret).toString('base64'), secret.slice(0, 6), 'ss/w"o', 'ss%2Fw%22o'],
]);

let server: GuardedServer;
let folder: string;
beforeAll(async () => {
  server = await startGuardedServer(SECRET);
  folder = await mkdtemp(join(tmpdir(), 'etl-secret-'));
  const files = {
    'good.csv': 'id,name\n1,a\n2,b\n',
    'bad.csv': 'id,name\n1,a\nx,b\n',
    'invalid.json': JSON.stringify({ databaseUrl: `postgres://me:${SECRET}@db/app`, loads: 1 }),
    pgpass: `*:*:*:guarded:${SECRET.replaceAll('\\', '\\\\')}\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
  }
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  await server.release();
  await rm(folder, { recursive: true });
});

function expectNoSecret(text: string): void {
  for (const form of FORMS) expect(text).not.toContain(form);
}

const target = ['--table', 'guarded.t', '--key', 'id', '--database-url'];
const urls = {
  right: () => server.url(SECRET),
  wrong: () => server.url(WRONG),
  elsewhere: () => server.url(SECRET).replace(/host=[^&]*/, 'host=/no/such/folder'),
  unencoded: () => `postgres://guarded:${SECRET}@localhost/etl`,
  parameter: () => `${server.url(null)}&password=${encodeURIComponent(WRONG)}`,
};

test.for([
  ['a load that succeeds', 0, ['run', 'good.csv', '--verbose', '--report', 'report.json'], 'right'],
  ['its report as JSON', 0, ['run', 'good.csv', '--json', '--force'], 'right'],
  ['bad rows', 1, ['run', 'bad.csv', '--verbose', '--report', 'report.json'], 'right'],
  ['the plan as JSON', 0, ['plan', 'good.csv', '--json', '--verbose', '--force'], 'right'],
  ['the wrong password', 2, ['run', 'good.csv', '--verbose'], 'wrong'],
  ['the wrong password as a parameter', 2, ['run', 'good.csv', '--verbose'], 'parameter'],
  ['no server', 2, ['run', 'good.csv', '--verbose', '--json'], 'elsewhere'],
  ['a URL that cannot be read', 2, ['run', 'good.csv', '--verbose'], 'unencoded'],
] as const)('%s', async ([, code, words, url]) => {
  const events: unknown[] = [];
  const sessions: Promise<unknown[]>[] = [];
  const end = await etl([...words, ...target, urls[url]()], {
    cwd: folder,
    threads: true,
    onEvent: (event) => {
      events.push(event);
      sessions.push(activity('true'));
    },
  });
  expect({ code: end.code, said: end.stdout + end.stderr }).toMatchObject({ code });
  expect(end.stderr).toContain(PASSWORD_NOTICE.trim());
  expectNoSecret(end.stdout + end.stderr);
  expectNoSecret(JSON.stringify([events, end.report, end.error]));
  expectNoSecret(JSON.stringify(await Promise.all(sessions)));
  expectNoSecret(await everyFile());
});

test.each([[['history', '--json']], [['doctor', '--json']], [['doctor', '--verbose']]])(
  '%j',
  async (words) => {
    const end = await etl([...words, '--database-url', urls.right()], { cwd: folder });
    expect(end.stdout.length).toBeGreaterThan(50);
    expectNoSecret(end.stdout + end.stderr);
  },
);

/** What runs have written beside their input. */
async function everyFile(): Promise<string> {
  const names = await readdir(folder);
  const written = names.filter((name) => !['invalid.json', 'pgpass'].includes(name));
  return (await Promise.all(written.map((name) => readFile(join(folder, name), 'utf8')))).join('');
}

test('a job file that is refused does not show the password that it holds', async () => {
  const end = await etl(['run', '--config', 'invalid.json', '--verbose'], { cwd: folder });
  expect(end.code).toBe(2);
  expect(end.stderr).toContain('databaseUrl');
  expectNoSecret(end.stdout + end.stderr);
});

test('a command that is interrupted is repeated to the user without the password', async () => {
  const interrupt = new AbortController();
  const argv = ['run', 'good.csv', '--force', ...target, urls.right()];
  const onEvent = (): void => interrupt.abort();
  const end = await etl(argv, { cwd: folder, signal: interrupt.signal, onEvent });
  expect(end.code).toBe(130);
  expect(end.stderr).toContain(':***@');
  expectNoSecret(end.stdout + end.stderr);
});

test('the ledger has none, nor has the log of the server', async () => {
  const tables = await server.admin.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class
      where relkind in ('r', 'v') and relnamespace in ('etl'::regnamespace, 'guarded'::regnamespace)`,
  );
  expect(tables.rows.length).toBeGreaterThan(2);
  for (const { name } of tables.rows) {
    const { rows } = await server.admin.query(`select to_jsonb(t)::text as text from ${name} t`);
    expectNoSecret(JSON.stringify(rows));
  }
  // The statement that made the role is the test's own, and succeeded: it is not logged.
  expectNoSecret(await readFile(join(server.home, 'postgres.log'), 'utf8'));
});

test('a benchmark and its results', async () => {
  const scenario = checkScenario(
    { name: 'tiny', description: 'One file.', rows: { quick: 50 }, files: 1, strategies: ['auto'] },
    'tiny',
  );
  const told: unknown[] = [];
  const options = {
    ...{ databaseUrl: urls.right(), embedded: false, suite: 'quick', seed: 1, runs: 1 },
    ...{ version: '1.0.0', peers: { available: [], unavailable: [] }, now: () => new Date(0) },
    scenarios: [{ scenario, rows: 50, tableRows: 0 }],
    signal: new AbortController().signal,
  };
  const { results, failures } = await runBenchmark({
    ...options,
    onProgress: (progress) => told.push(progress),
    onResults: async (soFar) => void told.push(soFar),
  });
  expect(results.cases.length).toBeGreaterThan(0);
  expectNoSecret(JSON.stringify([results, failures, told]));
});

test('the list of processes: the words of the command are written over', async () => {
  const gate = new pg.Client({ connectionString: server.adminUrl });
  await gate.connect();
  // The run waits for the table, so that there is time to look.
  await gate.query('begin; lock table guarded.t in access exclusive mode');
  const entry = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const argv = ['run', join(folder, 'good.csv'), '--force', '--verbose', ...target, urls.right()];
  const child = spawn(process.execPath, ['--import', 'tsx', entry, ...argv], { stdio: 'pipe' });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }
  const ended = once(child, 'exit');
  try {
    await expect
      .poll(async () => (await waiting()).length, { timeout: 60_000, interval: 50 })
      .toBeGreaterThan(0);
    if (process.platform === 'linux') {
      const shown = readFileSync(`/proc/${child.pid ?? 0}/cmdline`, 'utf8');
      expect(shown).toContain('//guarded:***@');
      expectNoSecret(shown);
    }
    expectNoSecret(JSON.stringify(await waiting()));
  } finally {
    await gate.query('rollback');
    await gate.end();
  }
  expect({ exit: await ended, said }).toMatchObject({ exit: [0, null] });
  // The log of the level debug, which goes to the process's own stderr.
  expect(said).toContain('load planned');
  expectNoSecret(said);
});

function waiting(): Promise<unknown[]> {
  return activity(`usename = 'guarded' and wait_event_type = 'Lock'`);
}

/** Whole rows of pg_stat_activity. */
async function activity(condition: string): Promise<unknown[]> {
  const sql = `select to_jsonb(a)::text as text from pg_stat_activity a where ${condition}`;
  return (await server.admin.query<{ text: string }>(sql)).rows;
}

test.for([
  ['PGPASSWORD', { PGPASSWORD: SECRET }],
  ['~/.pgpass', { PGPASSFILE: 'pgpass' }],
] as const)('%s is taken where the URL has no password', async ([, env]) => {
  for (const [name, value] of Object.entries(env)) {
    vi.stubEnv(name, name === 'PGPASSFILE' ? join(folder, value) : value);
  }
  const argv = ['run', 'good.csv', '--force', ...target, server.url(null)];
  const end: EtlEnd = await etl(argv, { cwd: folder, threads: true });
  expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 0, stderr: '' });
});
