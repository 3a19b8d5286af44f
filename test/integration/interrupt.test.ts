import type pg from 'pg';
import { expect, test } from 'vitest';
import { tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import type { EtlEnd } from '../support/etl.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { statusesOf, useScene } from '../support/scene.ts';

/** Ctrl-C at every stage of a load: what is committed stays, the rest is as if it never began. */
const columns = (table: string): string =>
  `create table ${table} (id int primary key, name fault_staged check (fault('merge', name)), n int);`;
const scene = useScene((table) => `${columns(table)} ${columns(`${table}_oracle`)}`, FAULTS);

/** The second of three overlapping files stops where it says `stage gate` or `merge gate`. */
function filesWith(kind: 'stage' | 'merge'): OracleFile[] {
  return overlappingFiles(3, 20, 5).map((file, place) =>
    place !== 1 ? file : { ...file, rows: [...file.rows, ['99', `${kind} gate`, '1']] },
  );
}

async function oracleDigest(files: readonly OracleFile[]): Promise<unknown> {
  const target = { table: `${scene.table}_oracle`, columns: ['id', 'name', 'n'], key: ['id'] };
  await scene.db.query(`truncate ${scene.table}_oracle`);
  await loadInBatches(scene.db, { ...target, onConflict: 'update', versionColumn: null }, files);
  return scene.db.query(tableDigest(`${scene.table}_oracle`));
}

async function digest(): Promise<unknown> {
  return scene.db.query(tableDigest(scene.table));
}

/** Runs until the second file stands at the gate, interrupts, opens the gate. */
async function interruptAt(
  kind: 'stage' | 'merge',
  files: readonly OracleFile[],
  words: readonly string[],
  threads: boolean,
): Promise<EtlEnd> {
  await scene.write(csvFiles(files));
  const gate: pg.Client = await scene.db.client();
  await gate.query(closeGateSql(kind));
  const interrupt = new AbortController();
  const running = scene.run(['*.csv', ...words], { threads, signal: interrupt.signal });
  try {
    const early = running.then(({ stdout, stderr }) => {
      throw new Error(`The run ended before it came to the gate:\n${stdout}${stderr}`);
    });
    await Promise.race([untilWaiting(scene.db, kind), early]);
    interrupt.abort();
    early.catch(() => undefined);
    return await running;
  } finally {
    await gate.end();
  }
}

function expectInterrupted(end: EtlEnd): void {
  expect([end.code, end.report?.status, end.error?.code]).toEqual([
    130,
    'interrupted',
    'ETL_ABORTED',
  ]);
  expect(end.error?.remedy).not.toBe('');
  expect(end.stderr).toContain('To load the rest, run the same command again:\n  etl run');
  expect(end.stdout + end.stderr).not.toMatch(/\n\s+at /);
}

async function expectResumed(files: readonly OracleFile[], end: EtlEnd): Promise<void> {
  const committed = statusesOf(end.report).filter((status) => status === 'loaded').length;
  expect(await digest()).toEqual(await oracleDigest(files.slice(0, committed)));
  const next = await scene.run(['*.csv', '--concurrency', '3']);
  expect(next.code).toBe(0);
  expect(statusesOf(next.report).filter((status) => status === 'skipped')).toHaveLength(committed);
  expect(await digest()).toEqual(await oracleDigest(files));
}

// Threads take seconds to start, so half of the moments are tried with them.
test.for([
  ['while it stages', 'stage', 'hybrid', false],
  ['while it stages a partitioned load', 'stage', 'partitioned', true],
  ['while it merges, and the next file waits', 'merge', 'full-parallel', true],
  ['while it merges a partitioned load', 'merge', 'partitioned', false],
] as const)('interrupted %s', async ([, kind, strategy, threads]) => {
  const files = filesWith(kind);
  const words = ['--strategy', strategy, '--concurrency', '3'];
  const end = await interruptAt(kind, files, words, threads);
  expectInterrupted(end);
  const statuses = statusesOf(end.report);
  expect(statuses.slice(1)).toEqual(['not-loaded', 'not-loaded']);
  if (strategy === 'partitioned') expect(statuses[0]).toBe('not-loaded');
  await expectResumed(files, end);
});

test('interrupted before it begins, nothing is loaded', async () => {
  await scene.write(csvFiles(overlappingFiles(3, 20, 5)));
  const interrupt = new AbortController();
  const end = await scene.run(['*.csv'], {
    signal: interrupt.signal,
    onEvent: (event) => {
      if (event.kind === 'run-started') interrupt.abort();
    },
  });
  expectInterrupted(end);
  expect(statusesOf(end.report)).toEqual(['not-loaded', 'not-loaded', 'not-loaded']);
  await expectResumed(overlappingFiles(3, 20, 5), end);
});

test('interrupted before it was planned, it ends with 130 and without a row, too', async () => {
  await scene.write(csvFiles(overlappingFiles(3, 20, 5)));
  const end = await scene.run(['*.csv'], { signal: AbortSignal.abort() });
  expect(end.code).toBe(130);
  expect(await scene.db.query(`table ${scene.table}`)).toEqual([]);
  expect(end.stderr).toContain('run the same command again');
});

test('the record of an interrupted run says so', async () => {
  const end = await interruptAt('stage', filesWith('stage'), ['--concurrency', '2'], false);
  expectInterrupted(end);
  const runs = await scene.db.query('select status from etl.run where run_id = $1', [
    end.report?.runId,
  ]);
  expect(runs).toEqual([{ status: 'interrupted' }]);
});

test('interrupted while it commits, the report says what the ledger says', async () => {
  const { db, table } = scene;
  await db.query(
    `create constraint trigger late after insert on ${table} deferrable initially deferred
       for each row when (new.id = 1) execute function fault_at_commit()`,
  );
  await scene.write({ 'f0.csv': 'id,name,n\n1,a,1\n', 'f1.csv': 'id,name,n\n2,b,2\n' });
  const gate = await db.client();
  await gate.query(closeGateSql('commit'));
  const interrupt = new AbortController();
  const running = scene.run(['*.csv', '--concurrency', '1'], { signal: interrupt.signal });
  await untilWaiting(db, 'commit');
  interrupt.abort();
  // The server notices after a second at the earliest that nobody listens any more; so it commits.
  await gate.end();
  const end = await running;
  expectInterrupted(end);
  const committed = await db.query(`select id from ${table}`);
  const [first, second] = statusesOf(end.report);
  expect(first).toBe(committed.length === 1 ? 'loaded' : 'not-loaded');
  expect(second).toBe('not-loaded');
  expect(end.report?.loads[0]?.totals.inserted).toBe(committed.length);

  const next = await scene.run(['*.csv']);
  expect(statusesOf(next.report)).toEqual([first === 'loaded' ? 'skipped' : 'loaded', 'loaded']);
  expect(await db.query(`select id from ${table} order by id`)).toEqual([{ id: 1 }, { id: 2 }]);
});
