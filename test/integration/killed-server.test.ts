import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startEmbedded, type EmbeddedServer } from '../../src/embedded/embedded.ts';
import { tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import { expectNoLeaks, openSessions, type TestSessions } from '../support/database.ts';
import { queryOnce, readyHome, removeHome } from '../support/embedded-process.ts';
import { etl, type EtlEnd } from '../support/etl.ts';
import { closeGateSql, FAULTS, untilWaiting, type Gate } from '../support/faults.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';

/**
 * The server itself dies in the middle of a load, by kill -9 or an immediate shutdown, and comes back
 * by recovery from its log, with unlogged tables emptied: the run ends with a clear error, and the
 * next one loads what is missing.
 */
/** Temporary tables outlive the crash in the catalog, until autovacuum comes by. */
const SETTINGS = { fsync: 'off', max_prepared_transactions: '8', autovacuum_naptime: '1s' };
let home = '';
let server: EmbeddedServer;
let folder = '';
let table = '';
let tests = 0;

beforeAll(async () => {
  home = await readyHome();
  server = await startEmbedded({ home, mode: 'attached', settings: SETTINGS });
  await queryOnce(server.url, FAULTS);
});
afterAll(async () => {
  await server.release();
  await removeHome(home);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-killed-server-'));
  table = `t${++tests}`;
});
afterEach(() => rm(folder, { recursive: true }));

const columns = (name: string, kind = ''): string =>
  `create ${kind} table ${name} (id bigint primary key, name fault_staged check (fault('merge', name)), n bigint);`;

test.for([
  ['while a file is staged', 'stage', 'full-parallel', 'SIGKILL'],
  ['while a file is merged', 'merge', 'hybrid', 'SIGQUIT'],
  ['while partitioned stages', 'stage', 'partitioned', 'SIGQUIT'],
  ['while partitioned merges', 'merge', 'partitioned', 'SIGKILL'],
] as const)('the server dies %s', async ([, gate, strategy, signal]) => {
  const files = filesWith(gate);
  await queryOnce(server.url, columns(table));
  const words = ['--strategy', strategy];
  const end = await killedAt(gate, files, words, () => process.kill(server.pid, signal));
  expectStopped(end);
  await startAgain();
  await expectResumed(files, words);
});

test('an unlogged table is emptied by a crash, and loaded anew as a whole', async () => {
  const files = filesWith('merge');
  await queryOnce(server.url, columns(table, 'unlogged'));
  const words = ['--strategy', 'sequential'];
  const end = await killedAt('merge', files, words, () => process.kill(server.pid, 'SIGQUIT'));
  expectStopped(end);
  await startAgain();
  expect(await queryOnce(server.url, `select from ${table}`)).toEqual([]);
  await expectResumed(files, words);

  // Others may have filled it by the time that somebody looks.
  process.kill(server.pid, 'SIGQUIT');
  await startAgain();
  await queryOnce(server.url, `insert into ${table} values (-1, 'other', 0)`);
  const again = await run(words, false);
  expect(again.report?.loads[0]?.totals.inserted).toBeGreaterThan(0);
  await queryOnce(server.url, `delete from ${table} where id = -1`);
  await expectResumed(files, words);

  // Whoever empties it by hand wants nothing back.
  await queryOnce(server.url, `truncate ${table}`);
  const emptied = await run(words, false);
  expect(emptied.report?.loads[0]?.totals.rowsRead).toBe(0);
});

test('one backend is killed, and the server starts all sessions anew at once', async () => {
  const files = filesWith('merge');
  await queryOnce(server.url, columns(table));
  const words = ['--strategy', 'partitioned'];
  const end = await killedAt('merge', files, words, async (db) => {
    const [backend] = await db.query<{ pid: number }>(
      `select pid from pg_locks where locktype = 'advisory' and objid = 2 and not granted`,
    );
    process.kill(backend?.pid ?? 0, 'SIGKILL');
  });
  expectStopped(end);
  await untilUp();
  await expectResumed(files, words);
});

/** The second of the files stops at the gate. */
function filesWith(gate: 'stage' | 'merge'): OracleFile[] {
  return overlappingFiles(3, 40, 15).map((file, place) =>
    place !== 1 ? file : { ...file, rows: [...file.rows, ['99', `${gate} gate`, '1']] },
  );
}

/** Runs until the second file stands at the gate; then something is killed. */
async function killedAt(
  gate: Gate,
  files: readonly OracleFile[],
  words: readonly string[],
  kill: (db: TestSessions) => unknown,
): Promise<EtlEnd> {
  for (const [name, text] of Object.entries(csvFiles(files))) {
    await writeFile(join(folder, name), text);
  }
  const db = openSessions(server.url);
  try {
    const holder = await db.client();
    await holder.query(closeGateSql(gate));
    const running = run(words, true);
    await Promise.race([untilWaiting(db, gate), running.then(endedEarly)]);
    await kill(db);
    return await running;
  } finally {
    await db.close();
  }
}

function endedEarly({ stdout, stderr }: EtlEnd): never {
  throw new Error(`The run ended before it came to the gate:\n${stdout}${stderr}`);
}

function run(words: readonly string[], threads: boolean): Promise<EtlEnd> {
  const argv = [
    'run',
    'f*.csv',
    '--table',
    table,
    '--database-url',
    server.url,
    '--concurrency',
    '3',
  ];
  return etl([...argv, ...words], { cwd: folder, threads });
}

function expectStopped(end: EtlEnd): void {
  const said = end.stdout + end.stderr;
  expect([end.code, end.error?.code], said).toEqual([2, 'ETL_CONNECTION']);
  expect(end.error?.remedy).toContain('un');
  expect(said).not.toMatch(/\n\s+at /);
}

async function expectResumed(
  files: readonly OracleFile[],
  words: readonly string[],
): Promise<void> {
  const end = await run(words, false);
  expect(end.code, end.stdout + end.stderr).toBe(0);
  const db = openSessions(server.url);
  try {
    await db.query(columns('oracle'));
    await loadInBatches(
      db,
      {
        table: 'oracle',
        columns: ['id', 'name', 'n'],
        key: ['id'],
        onConflict: 'update',
        versionColumn: null,
      },
      files,
    );
    expect(await db.query(tableDigest(table))).toEqual(await db.query(tableDigest('oracle')));
    await db.query('drop table oracle');
  } finally {
    await db.close();
  }
  await expectNoLeaks(server.url);
}

/** Once the last process of the old server is gone. */
async function startAgain(): Promise<void> {
  await server.release();
  server = await startEmbedded({ home, mode: 'attached', settings: SETTINGS });
}

async function untilUp(): Promise<void> {
  for (let look = 0; look < 100; look++) {
    if (
      await queryOnce(server.url, 'select').then(
        () => true,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('The server did not come back.');
}
