import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Plan } from '../../src/plan/plan-types.ts';
import type { Report } from '../../src/run/report-types.ts';
import type { RunParts } from '../../src/run/run-context.ts';
import { tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { loadInBatches } from './batched-oracle.ts';
import { EtlError } from '../../src/errors.ts';
import { expectNoLeaks, type TestDatabase } from './database.ts';
import { planJob, runPlan } from './load.ts';
import { csvFiles } from './overlapping-files.ts';
import { openTcpProxy, type Fate } from './tcp-proxy.ts';

/** A tiny load that is made again and again, each time with a fault at another moment. */
export interface FaultyLoad {
  readonly strategy: 'full-parallel' | 'hybrid' | 'sequential' | 'partitioned';
  readonly onConflict?: 'update' | 'append';
  /** The run creates the table, and fills it before it adds the key. */
  readonly fresh?: boolean;
  /** More than one owner, though there are but a few rows. */
  readonly owners?: boolean;
  /** The files are copied into the table itself, above what it holds. */
  readonly direct?: boolean;
  /** The file is copied into the table itself by all workers at once. */
  readonly shares?: boolean;
  /** The first file has a row besides that is bad, and put aside. */
  readonly badRow?: boolean;
  /** Owners commit by prepared transactions where the server allows them. */
  readonly prepared?: boolean;
}

/** How the runs with one kind of fault ended. */
export interface FaultTally {
  /** Runs that met their fault. */
  tried: number;
  /** Of those, the ones that loaded all the same. */
  survived: number;
  /** Rows of the table that were compared with the oracle's, over all runs. */
  rowsCompared: number;
}

export interface FaultScene {
  readonly db: TestDatabase;
  readonly folder: string;
  readonly table: string;
  readonly files: readonly OracleFile[];
}

/** Whether the fault of this run was met, and how the run ended; it may throw what a run throws. */
export type FaultyRun = (
  nth: number,
  plan: Plan,
  parts: Partial<RunParts>,
) => Promise<{ readonly met: boolean; readonly report: Report | null }>;

/** No fault waits for its retry longer than a moment. */
const FAULTY_PARTS: Partial<RunParts> = {
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 5))),
};

/**
 * Makes the load with a fault at the first, the second … moment until a run ends before it meets its
 * fault. After each the table must be the oracle's: at once where the run says that it loaded, else
 * after the next run. ETL_FAULT_NTH replays one moment.
 */
export async function tryEveryMoment(
  scene: FaultScene,
  load: FaultyLoad,
  replay: string,
  run: FaultyRun,
): Promise<FaultTally> {
  const tally = { tried: 0, survived: 0, rowsCompared: 0 };
  const digest = await oracleOf(scene, load);
  const only = process.env['ETL_FAULT_NTH'];
  // One plan serves all: the table is emptied for each, and not made anew.
  await createTable(scene, load);
  const plan = await planOf(scene, load);
  expect(plan.loads[0]?.directShares !== undefined).toBe(load.shares === true);
  for (let nth = Number(only ?? 1); ; nth++) {
    try {
      await resetTable(scene, load);
      const parts = { ...FAULTY_PARTS, ...(load.owners === true ? { ownerRowsMin: 1 } : {}) };
      const { met, report } = await run(nth, plan, parts);
      const whole = load.badRow === true ? 'rejected-rows' : 'loaded';
      if (!met) expect([report?.status, report?.error]).toEqual([whole, null]);
      const loaded = report?.status === whole;
      if (!loaded) await loadTheRest(scene, load, report);
      expect(await digestOf(scene)).toEqual(digest);
      if (load.badRow === true) await expectRejected(scene);
      await expectNoLeaks(scene.db.url);
      tally.tried += met ? 1 : 0;
      tally.survived += met && loaded ? 1 : 0;
      tally.rowsCompared += Number(/\d+/.exec(digest)?.[0] ?? 0);
      if (!met || only !== undefined) return tally;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${message}\nReplay: ETL_FAULT_NTH=${nth} npx vitest run ${replay}`, {
        cause: error,
      });
    }
  }
}

/** A run through a proxy where the n-th of the statements that count meets its fate. */
export function throughProxy(
  db: TestDatabase,
  fate: Fate,
  counts: (statement: string) => boolean,
): FaultyRun {
  return async (nth, plan, parts) => {
    let statements = 0;
    const proxy = await openTcpProxy(db.url, {
      fateOf: (statement) => (counts(statement) && ++statements === nth ? fate : 'pass'),
      kill: (pid) => db.query('select pg_terminate_backend($1)', [pid]),
    });
    try {
      const report = await runPlan(proxy.url, plan, { parts }).catch(refused);
      return { met: statements >= nth, report };
    } finally {
      await proxy.close();
    }
  };
}

/** A run that could not begin. */
function refused(error: unknown): null {
  expect(error).toBeInstanceOf(EtlError);
  expect((error as EtlError).code).toBe('ETL_CONNECTION');
  return null;
}

/** One line for each kind of fault; docs/reliability.md shows them. */
export function printTallies(tallies: ReadonlyMap<string, FaultTally>): void {
  for (const [name, { tried, survived, rowsCompared }] of tallies) {
    process.stdout.write(
      `faults: ${name}: ${tried} tried, ${survived} survived by the same run, ` +
        `${tried - survived} by the next; ${rowsCompared} rows compared\n`,
    );
  }
}

/** What a run says that gave up is what a user needs; the next one loads what is missing. */
async function loadTheRest(
  scene: FaultScene,
  load: FaultyLoad,
  report: Report | null,
): Promise<void> {
  if (report !== null) {
    const told = JSON.stringify(report.error);
    expect(report.error?.remedy, told).not.toBe('');
    expect(report.error?.code, told).toMatch(/^ETL_(CONNECTION|SERVER|INTERNAL)$/);
  }
  const next = await runPlan(scene.db.url, await planOf(scene, load), {});
  expect(next.error).toBeNull();
  // The file with the bad row may be in already.
  expect(next.status).toMatch(load.badRow === true ? /^(loaded|rejected-rows)$/ : /^loaded$/);
}

/** The files of a load, with the bad row behind the first: its last field is missing. */
export function filesOf(load: FaultyLoad, files: readonly OracleFile[]): Record<string, string> {
  const texts = csvFiles(files);
  const last = Number(files[0]?.rows.at(-1)?.[0]);
  const bad = load.badRow === true ? `${last + 1},bad\n` : '';
  return { ...texts, 'f0.csv': (texts['f0.csv'] ?? '') + bad };
}

/** Whatever was lost on the way, the row is in the reject file, once, and nothing is beside it. */
async function expectRejected({ folder }: FaultScene): Promise<void> {
  const rejects = join(folder, 'rejects');
  expect(await readdir(rejects)).toEqual(['f0.csv.rejects.csv']);
  const text = await readFile(join(rejects, 'f0.csv.rejects.csv'), 'utf8');
  expect(text.trimEnd().split('\n')).toHaveLength(2);
  expect(text).toMatch(/"\d+,bad"/);
  await rm(rejects, { recursive: true });
}

async function planOf({ db, folder, table }: FaultScene, load: FaultyLoad): Promise<Plan> {
  const { strategy, onConflict = 'update' } = load;
  const onError = load.badRow === true ? ('quarantine' as const) : ('stop' as const);
  const job = {
    settings: { concurrency: 2, onError, ...(load.shares === true ? { chunkSize: 5 } : {}) },
    loads: [{ table, files: ['f*.csv'], strategy, onConflict, key: keyOf(load) }],
  };
  const options = { cwd: folder, ...(load.shares === true ? { partBytesMin: 50 } : {}) };
  const plan = await planJob(db.url, job, options);
  const isDirect = plan.loads[0]?.units.every((unit) => unit.direct !== undefined) === true;
  if (load.direct === true && plan.loads[0]?.files.every(({ skip }) => skip === null) === true) {
    expect(isDirect).toBe(true);
  }
  const loads = plan.loads.map((one) => ({
    ...one,
    fillBeforeKey: load.fresh === true && one.table.create !== null,
  }));
  const prepared = load.prepared === false ? 0 : plan.server.maxPreparedTransactions;
  return { ...plan, loads, server: { ...plan.server, maxPreparedTransactions: prepared } };
}

function keyOf({ onConflict }: FaultyLoad): string[] | null {
  return onConflict === 'append' ? null : ['id'];
}

const COLUMNS = 'id bigint, name text, n bigint';

async function createTable({ db, table }: FaultScene, load: FaultyLoad): Promise<void> {
  await db.query(`drop table if exists ${table}`);
  if (load.fresh !== true) await db.query(createSql(table, load));
}

/** As it was planned, and nothing of it in the ledger. */
async function resetTable({ db, table }: FaultScene, load: FaultyLoad): Promise<void> {
  if (load.fresh === true) {
    // The run makes the ledger, too.
    await db.query(`drop table if exists ${table}; drop schema if exists etl cascade`);
    return;
  }
  await db.query(`truncate ${table}; ${heldSql(table, load)}`);
  const [ledger] = await db.query(`select to_regclass('etl.ledger') is not null as there`);
  if (ledger?.['there'] === true) await db.query('truncate etl.ledger');
}

function createSql(table: string, load: FaultyLoad): string {
  if (load.onConflict === 'append') return `create table ${table} (${COLUMNS})`;
  return `create table ${table} (${COLUMNS}, primary key (id)); ${heldSql(table, load)}`;
}

/** What the table holds before the load. */
function heldSql(table: string, { onConflict }: FaultyLoad): string {
  if (onConflict === 'append') return '';
  return `insert into ${table} values (3, 'held', 3), (2000, 'held', 2000)`;
}

/** The digest of the table as the files leave it when they are loaded one after another. */
async function oracleOf(scene: FaultScene, load: FaultyLoad): Promise<string> {
  const oracle = { ...scene, table: `${scene.table}_oracle` };
  await scene.db.query(`drop table if exists ${oracle.table}`);
  await scene.db.query(createSql(oracle.table, load));
  if (load.fresh === true) await scene.db.query(`truncate ${oracle.table}`);
  const { onConflict = 'update' } = load;
  const target = { table: oracle.table, columns: ['id', 'name', 'n'], key: ['id'] };
  await loadInBatches(scene.db, { ...target, onConflict, versionColumn: null }, scene.files);
  return digestOf(oracle);
}

async function digestOf({ db, table }: FaultScene): Promise<string> {
  const [row] = await db.query<{ digest: string }>(tableDigest(table));
  return row?.digest ?? '';
}
