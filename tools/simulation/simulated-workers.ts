import { EtlError, errorRecordOf } from '../../src/errors.ts';
import type { UnitPlan } from '../../src/plan/plan-types.ts';
import type {
  FileFailure,
  MergedUnit,
  StagedUnit,
  UnitSession,
  UnitWorkers,
} from '../../src/load/unit-session.ts';
import { NO_ROWS } from '../../src/target/counts.ts';
import { lostConnection, passingError, poisonError, type Faults } from './faults.ts';
import { mix, type Random } from './random.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import { rangeOf, type SimulatedJob } from './simulated-job.ts';
import type { SimulatedRow } from './simulated-table.ts';
import type { Trace } from './trace.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Defects put in on purpose, to see the simulation notice them. */
export const MUTATIONS = [
  'admission-off',
  'hash-dropped',
  'range-narrowed',
  'ledger-ignored',
  'window-ignored',
  'fallback-untold',
] as const;
export type Mutation = (typeof MUTATIONS)[number];

export interface SimulatedWorld {
  readonly job: SimulatedJob;
  readonly faults: Faults;
  readonly database: SimulatedDatabase;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly trace: Trace;
  readonly mutation: Mutation | null;
}

export interface SimulatedWorkers extends UnitWorkers {
  /** Sessions open now, and the most that were. */
  readonly sessions: { now: number; peak: number };
  /** What the scheduler did against the contract of a session. */
  readonly problems: string[];
}

export function createSimulatedWorkers(world: SimulatedWorld): SimulatedWorkers {
  const workers: SimulatedWorkers = {
    sessions: { now: 0, peak: 0 },
    problems: [],
    open: (unit, attempt, direct) => openSession(world, workers, unit, { attempt, direct }),
  };
  return workers;
}

interface Session {
  readonly unit: UnitPlan;
  readonly world: SimulatedWorld;
  /** The unit may be copied into the table itself; then whether it is. */
  direct: boolean;
  phase: 'open' | 'staged' | 'exported' | 'merging' | 'closed';
  /** A step is under way. */
  busy: boolean;
  stagedFiles: readonly number[];
  merging: Promise<unknown> | null;
}

function openSession(
  world: SimulatedWorld,
  workers: SimulatedWorkers,
  unit: UnitPlan,
  { attempt, direct }: { readonly attempt: number; readonly direct: boolean },
): UnitSession {
  const session: Session = {
    unit,
    world,
    direct,
    phase: 'open',
    busy: false,
    stagedFiles: [],
    merging: null,
  };
  workers.sessions.now += 1;
  workers.sessions.peak = Math.max(workers.sessions.peak, workers.sessions.now);
  note(session, attempt === 1 ? 'opened' : 'opened again');

  const step = async <T>(allowed: Session['phase'][], work: () => Promise<T>): Promise<T> => {
    if (session.busy || !allowed.includes(session.phase)) {
      workers.problems.push(`unit ${unit.ordinal}: a step out of order, after ${session.phase}`);
    }
    session.busy = true;
    const result = await work().finally(() => (session.busy = false));
    if (wasClosed(session)) throw lostConnection();
    return result;
  };
  return {
    stage: () => step(['open'], () => stage(session)),
    exportKeys: () => step(['staged'], () => exportKeys(session)),
    merge: () => step(['staged', 'exported'], () => merge(session)),
    async close() {
      if (wasClosed(session)) workers.problems.push(`unit ${unit.ordinal} was closed twice`);
      await close(session);
      workers.sessions.now -= 1;
    },
  };
}

async function stage(session: Session): Promise<StagedUnit> {
  const { unit, world } = session;
  const { faults, random, database } = world;
  await pause(session, 2);
  const committed = unit.files.filter((file) => database.ledger.has(file));
  if (committed.length > 0 && world.mutation !== 'ledger-ignored') {
    note(session, 'found in the ledger');
    return { rows: 0, range: null, failure: null, alreadyMerged: foundMerged(session, committed) };
  }
  const mayBeDirect = session.direct;
  session.direct = mayBeDirect && (await copyDirectly(session));
  if (session.direct) return stagedDirectly(session);
  await pause(session, rowsOf(session, unit.files).length + 1);
  if (random.chance(faults.retryableChance)) throw passingError(random);
  const failure = stageFailure(session);
  const end = failure === null ? unit.files.length : unit.files.indexOf(failure.file);
  session.stagedFiles = unit.files.slice(0, end);
  session.phase = 'staged';
  note(session, failure === null ? 'staged' : 'staged in part');
  const rows = rowsOf(session, session.stagedFiles);
  const range = world.job.comparable ? rangeOf(rows) : null;
  const narrowed =
    range !== null && world.mutation === 'range-narrowed'
      ? { ...range, max: String(Number(range.max) - 1) }
      : range;
  const direct = mayBeDirect && world.mutation === 'fallback-untold';
  return { rows: rows.length, range: narrowed, direct, failure, alreadyMerged: null };
}

/** False: the unit is to be staged, and nothing of it is in the table. */
async function copyDirectly(session: Session): Promise<boolean> {
  const { unit, world } = session;
  const { database, faults, random } = world;
  const rows = rowsOf(session, unit.files);
  const { from = null, before = null } = unit.direct ?? {};
  const isOutside = (key: number): boolean =>
    world.mutation !== 'window-ignored' &&
    ((from !== null && key < Number(from)) || (before !== null && key >= Number(before)));
  for (const [place, { key }] of rows.entries()) {
    if (place % 4 === 0) await pause(session, 4);
    if (wasClosed(session)) throw lostConnection();
    if (isOutside(key) || !database.hold(unit.ordinal, key)) {
      database.release(unit.ordinal);
      note(session, 'not copied directly');
      return false;
    }
  }
  if (random.chance(faults.retryableChance)) throw passingError(random);
  if (!unit.files.some((file) => faults.poison.has(file))) return true;
  database.release(unit.ordinal);
  return false;
}

function stagedDirectly(session: Session): StagedUnit {
  session.stagedFiles = session.unit.files;
  session.phase = 'staged';
  note(session, 'copied directly');
  const { length } = rowsOf(session, session.stagedFiles);
  return { rows: length, range: null, direct: true, failure: null, alreadyMerged: null };
}

function stageFailure({ unit, world: { faults, random } }: Session): FileFailure | null {
  for (const file of unit.files) {
    const poison = faults.poison.get(file);
    if (poison === 'stage-throws') throw poisonError(file);
    if (poison === 'stage') return { file, error: poisonError(file).record };
    if (random.chance(faults.retryableChance / 4)) {
      return { file, error: passingError(random).record };
    }
  }
  return null;
}

async function exportKeys(session: Session): Promise<Float64Array> {
  const { random, faults, mutation, job } = session.world;
  const rows = rowsOf(session, session.stagedFiles);
  await pause(session, rows.length / 4 + 1);
  if (random.chance(faults.retryableChance)) throw passingError(random);
  const hashes = Float64Array.from(rows, (row) => keyHash(row.key, job.hashesMax)).sort();
  session.phase = 'exported';
  note(session, 'exported its keys');
  if (mutation !== 'hash-dropped' || hashes.length === 0) return hashes;
  const dropped = hashes[random.integer(0, hashes.length - 1)];
  return hashes.filter((hash) => hash !== dropped);
}

/** 53 bits, or few enough that different keys share a hash: that may cost time, and nothing else. */
function keyHash(key: number, hashesMax: number): number {
  return ((mix(key, 1) % 2 ** 21) * 2 ** 32 + mix(key, 2)) % hashesMax;
}

function merge(session: Session): Promise<MergedUnit> {
  session.phase = 'merging';
  const merging = mergeAndCommit(session);
  session.merging = merging;
  return merging;
}

async function mergeAndCommit(session: Session): Promise<MergedUnit> {
  const { faults, random, database } = session.world;
  const { stagedFiles } = session;
  note(session, 'merging');
  if (!session.direct) database.merging(session.unit.ordinal, stagedFiles);
  if (random.chance(faults.retryableChance)) throw passingError(random);
  await pause(session, rowsOf(session, stagedFiles).length + 1);
  if (wasClosed(session)) throw lostConnection();
  if (random.chance(faults.retryableChance)) throw passingError(random);

  const poisoned = stagedFiles.find((file) => faults.poison.get(file)?.startsWith('merge'));
  if (poisoned !== undefined && faults.poison.get(poisoned) === 'merge-throws') {
    throw poisonError(poisoned);
  }
  const end = poisoned === undefined ? stagedFiles.length : stagedFiles.indexOf(poisoned);
  const files = stagedFiles.slice(0, end);
  database.commit(files);
  database.release(session.unit.ordinal);
  if (random.chance(faults.doubtChance)) {
    note(session, 'committed, answer lost');
    throw lostConnection();
  }
  note(session, poisoned === undefined ? 'merged' : 'merged in part');
  return mergedUnit(
    files,
    poisoned === undefined ? null : { file: poisoned, error: poisonError(poisoned).record },
  );
}

/** A merge that is under way is rolled back, or is quicker, or commits and cannot say so any more. */
async function close(session: Session): Promise<void> {
  const { random, database } = session.world;
  const { busy, merging, stagedFiles } = session;
  if (busy && merging !== null && random.chance(0.3)) await merging.catch(() => undefined);
  else if (busy && merging !== null && random.chance(0.5)) {
    database.commit(stagedFiles);
    note(session, 'committed while it was closed');
  }
  if (session.direct && session.phase === 'staged') note(session, 'took its direct copy back');
  session.phase = 'closed';
  await pause(session, 1);
  database.release(session.unit.ordinal);
  note(session, 'closed');
}

/** What the ledger knows of an earlier attempt: which files it merged, and that one is missing. */
function foundMerged(session: Session, committed: readonly number[]): MergedUnit {
  const missing = session.unit.files[committed.length];
  if (missing === undefined) return mergedUnit(committed, null);
  const error = new EtlError('ETL_ROW_INVALID', `File ${missing} is not in the ledger.`, '');
  return mergedUnit(committed, { file: missing, error: errorRecordOf(error) });
}

function mergedUnit(files: readonly number[], failure: FileFailure | null): MergedUnit {
  return {
    counts: NO_ROWS,
    files: files.map((file) => ({ file, counts: null })),
    failure,
    stageMs: 0,
    mergeMs: 0,
  };
}

function rowsOf({ world }: Session, files: readonly number[]): SimulatedRow[] {
  return files.flatMap((file) => world.job.files[file]?.rows ?? []);
}

/** Mostly short and now and then very long, so that any unit may overtake any other. */
function pause({ world: { clock, random } }: Session, scaleMs: number): Promise<void> {
  return clock.sleep(scaleMs * (0.1 + 8 * random.next() ** 4));
}

function note({ unit, world: { trace, clock } }: Session, step: string): void {
  trace.add(clock.now(), unit.ordinal, step);
}

function wasClosed(session: Session): boolean {
  return session.phase === 'closed';
}
