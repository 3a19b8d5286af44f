import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { expect, test } from 'vitest';
import type { OracleFile } from '../../tools/oracle.ts';
import { digestOf, oracleDigest } from '../support/batched-oracle.ts';
import { startCli, type CliEnd, type CliProcess } from '../support/cli-process.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { expectNoLeaks, openSessions, type TestSessions } from '../support/database.ts';
import {
  expectNothingRuns,
  queryOnce,
  readyHome,
  removeHome,
} from '../support/embedded-process.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { useScene } from '../support/scene.ts';

/**
 * Ctrl-C and SIGTERM in every phase of a run, as a terminal and a service manager send them: to a
 * real process, the first to its whole group. What holds the run up is let go only after its end, so
 * a run that waited for it would never end.
 */
const columns = (table: string): string =>
  `create table ${table} (id bigint primary key, name fault_staged check (fault('merge', name)), n bigint);`;

/** The twin that a new table is filled as has the gates, too. */
const GATED_TWIN = `
  create function gate_twin() returns event_trigger language plpgsql as $$
  declare made text;
  begin
    for made in select object_identity from pg_event_trigger_ddl_commands()
                 where object_type = 'table' and object_identity like '%etl\\_fresh\\_%' loop
      execute format('alter table %s add check (fault(''stage'', name))', made);
    end loop;
  end $$;
  create event trigger gate_twin on ddl_command_end when tag in ('CREATE TABLE')
    execute function gate_twin();`;

const scene = useScene(columns, FAULTS + GATED_TWIN);

/** A run that only waits would not end before the test does. */
const PATIENT = ['--lock-timeout-ms', '600000'];

function start(words: readonly string[]): CliProcess {
  const own = words.includes('--table') ? [] : ['--table', scene.table];
  const argv = [
    'run',
    'f*.csv',
    ...own,
    '--database-url',
    scene.db.url,
    '--concurrency',
    '2',
    ...PATIENT,
  ];
  return startCli([...argv, ...words], { cwd: scene.folder });
}

/** The second of the files stops at a gate. */
function filesWith(gate: 'stage' | 'merge'): OracleFile[] {
  return overlappingFiles(3, 20, 5).map((file, place) =>
    place !== 1 ? file : { ...file, rows: [...file.rows, ['99', `${gate} gate`, '1']] },
  );
}

async function holding(sql: string): Promise<pg.Client> {
  const client = await scene.db.client();
  await client.query(sql);
  return client;
}

/** Interrupts a run once `reached` resolves; resolves to its end, before `holder` lets go. */
async function interrupted(
  run: CliProcess,
  holder: pg.Client,
  reached: () => Promise<unknown>,
  send: (run: CliProcess) => void,
): Promise<CliEnd> {
  const early = run.end.then((end) => expect.fail(`ended early: ${end.stdout}${end.stderr}`));
  try {
    await Promise.race([reached(), early]);
    early.catch(() => undefined);
    send(run);
    return await run.end;
  } finally {
    run.kill('SIGKILL');
    await holder.end();
  }
}

const ctrlC = (run: CliProcess): void => run.killGroup('SIGINT');
const terminate = (run: CliProcess): void => void run.kill('SIGTERM');

function expectTold({ code, signal, stdout, stderr }: CliEnd): void {
  expect([code, signal], stdout + stderr).toEqual([130, null]);
  expect(stderr).toContain('etl: Interrupted; ending. Press Ctrl-C again to stop at once.');
  expect(stderr).toContain('To load the rest, run the same command again:\n  etl run');
  expect(stdout + stderr).not.toMatch(/\n\s+at /);
}

async function expectResumed(
  files: readonly OracleFile[],
  words: readonly string[] = [],
): Promise<void> {
  await expectNoLeaks(scene.db.url);
  const end = await scene.run(['f*.csv', '--concurrency', '2', ...words]);
  expect(end.code, end.stdout + end.stderr).toBe(0);
  const table = words.includes('--table') ? `${scene.table}_new` : scene.table;
  const wanted = await oracleDigest(scene.db, columns, 'update', files);
  expect(await digestOf(scene.db, table)).toBe(wanted);
}

test.for([
  ['Ctrl-C while it stages', 'stage', 'hybrid', ctrlC],
  ['SIGTERM while one merges and another waits', 'merge', 'full-parallel', terminate],
  ['SIGTERM while partitioned stages', 'stage', 'partitioned', terminate],
  ['Ctrl-C while partitioned merges', 'merge', 'partitioned', ctrlC],
] as const)('%s', async ([, gate, strategy, send]) => {
  const files = filesWith(gate);
  await scene.write(csvFiles(files));
  const words = ['--strategy', strategy];
  const holder = await holding(closeGateSql(gate));
  const end = await interrupted(start(words), holder, () => untilWaiting(scene.db, gate), send);
  expectTold(end);
  await expectResumed(files, words);
});

test('Ctrl-C while it plans, and the table is locked', async () => {
  const files = overlappingFiles(3, 20, 5);
  await scene.write(csvFiles(files));
  const holder = await holding(`begin; lock table ${scene.table} in access exclusive mode`);
  const end = await interrupted(start([]), holder, () => untilBlocked(), ctrlC);
  expectTold(end);
  await expectResumed(files);
});

test.for(['hybrid', 'partitioned'] as const)(
  'Ctrl-C while somebody holds up the merge (%s)',
  async (strategy) => {
    const files = overlappingFiles(3, 20, 5);
    await scene.write(csvFiles(files));
    const words = ['--strategy', strategy];
    const holder = await holding(`begin; lock table ${scene.table} in share mode`);
    const end = await interrupted(start(words), holder, () => untilBlocked(), ctrlC);
    expectTold(end);
    await expectResumed(files, words);
  },
);

test('SIGTERM while it commits: what the server has been told to commit is told, or undone', async () => {
  const { db, table } = scene;
  await db.query(
    `create constraint trigger late after insert on ${table} deferrable initially deferred
       for each row execute function fault_at_commit()`,
  );
  const files = overlappingFiles(2, 20, 100);
  await scene.write(csvFiles(files));
  const holder = await holding(closeGateSql('commit'));
  const run = start(['--strategy', 'sequential']);
  const end = await interrupted(run, holder, () => untilWaiting(db, 'commit'), terminate);
  expectTold(end);
  await expectResumed(files);
});

const NEW = ['--key', 'id', '--strategy', 'full-parallel'];

test('Ctrl-C while a new table is filled', async () => {
  const files = newRows();
  await scene.write(csvFiles(files));
  const words = ['--table', `${scene.table}_new`, ...NEW];
  const holder = await holding(closeGateSql('stage'));
  const run = start(words);
  const end = await interrupted(run, holder, () => untilWaiting(scene.db, 'stage'), ctrlC);
  expectTold(end);
  await expectNoTwin();
  await expectResumed(files, words);
});

test('SIGTERM while a filled table waits to take its name', async () => {
  const files = newRows();
  await scene.write(csvFiles(files));
  const words = ['--table', `${scene.table}_new`, ...NEW];
  const gate = await holding(closeGateSql('stage'));
  const run = start(words);
  await Promise.race([untilWaiting(scene.db, 'stage'), run.end]);
  const holder = await holding(`begin; lock table ${scene.table}_new in access share mode`);
  await gate.end();
  const end = await interrupted(run, holder, () => untilBlocked(), terminate);
  expectTold(end);
  await expectNoTwin();
  await expectResumed(files, words);
});

test('whoever asks twice is not kept waiting', async () => {
  await scene.write(csvFiles(overlappingFiles(3, 20, 5)));
  const holder = await holding(`begin; lock table ${scene.table} in share mode`);
  const end = await interrupted(
    start([]),
    holder,
    () => untilBlocked(),
    (run) => {
      run.killGroup('SIGINT');
      run.killGroup('SIGINT');
    },
  );
  expect([end.code, end.signal], end.stdout + end.stderr).toEqual([130, null]);
  await expectResumed(overlappingFiles(3, 20, 5));
});

/** So many rows, of which no key comes twice, that the table is filled before it has its key. */
function newRows(): OracleFile[] {
  const files = overlappingFiles(3, 4_200, 5_000).map((file) => ({
    ...file,
    rows: [...new Map(file.rows.map((row) => [row[0], row])).values()],
  }));
  files[1]?.rows.push(['99999', 'stage gate', '1']);
  return files;
}

async function expectNoTwin(): Promise<void> {
  const twins = await scene.db.query(
    `select relname from pg_class where starts_with(relname, 'etl_fresh_')`,
  );
  expect(twins).toEqual([]);
}

/** Until a session of a run waits for a lock of a table. */
async function untilBlocked(db: Pick<TestSessions, 'query'> = scene.db): Promise<void> {
  const sql = `select from pg_locks where locktype = 'relation' and not granted and database =
                 (select oid from pg_database where datname = current_database())`;
  for (let look = 0; look < 1_000; look++) {
    if ((await db.query(sql)).length > 0) return;
    await sleep(20);
  }
  throw new Error('Nobody waits for a lock.');
}

test('Ctrl-C with the embedded server: it rolls back first, and ends after the run', async () => {
  await scene.write(csvFiles(overlappingFiles(3, 20, 5)));
  const home = await readyHome();
  try {
    const settings = { fsync: 'off' };
    const embedded = await startEmbedded({ home, mode: 'attached', settings });
    const sessions = openSessions(embedded.url);
    await sessions.query(`create table e (id bigint primary key, name text, n bigint)`);
    const holder = await sessions.client();
    await holder.query('begin; lock table e in share mode');
    const words = ['run', 'f*.csv', '--table', 'e', '--concurrency', '2', ...PATIENT];
    const options = { cwd: scene.folder, env: { ETL_EMBEDDED_DIR: home } };
    const run = startCli(words, options);
    await untilBlocked(sessions);
    // From here on the run is the only user of the server.
    await embedded.release();
    run.killGroup('SIGINT');
    const end = await run.end;
    await sessions.close();
    expectTold(end);
    await expectNothingRuns(home);
    const log = await readFile(join(home, 'postgres.log'), 'utf8');
    expect(log).toContain('received fast shutdown request');

    const next = await startCli(words, options).end;
    expect(next.code, next.stdout + next.stderr).toBe(0);
    await expectNothingRuns(home);
    const again = await startEmbedded({ home, mode: 'attached', settings });
    expect(await queryOnce(again.url, 'select count(*)::int as n from e')).toEqual([{ n: 30 }]);
    await again.release();
    expect(await readFile(join(home, 'postgres.log'), 'utf8')).not.toContain(
      'not properly shut down',
    );
  } finally {
    await removeHome(home);
  }
});
