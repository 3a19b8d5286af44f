import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { FreshFile, FreshUnit } from '../load/fresh-copy.ts';
import { stagedDocuments, type StagedFiles } from '../load/staged-documents.ts';
import type { LoadTask, StagedFile, UnitTask } from '../load/unit-task.ts';
import type { FilePlan, LoadPlan, UnitPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { Connection } from '../target/connect.ts';
import { skipsWal } from '../target/fresh-table.ts';
import { callWorker } from './call-worker.ts';
import type { FileParts } from './file-parts.ts';
import type { TellNews } from './part-events.ts';

export interface FreshUnitsOptions {
  readonly plan: LoadPlan;
  readonly task: LoadTask;
  readonly pool: WorkerPool;
  readonly coordinator: Connection;
  readonly signal: AbortSignal;
  readonly parts: FileParts;
  readonly tell: TellNews;
  /** Of each unit, as soon as it is copied. */
  readonly onCopied: (files: StagedFiles) => void;
}

export interface CopiedUnits {
  /** One entry per file. */
  readonly staged: StagedFiles;
  /** Milliseconds, by unit. */
  readonly stageMs: ReadonlyMap<number, number>;
}

/** Copies all units into the twin of a table that is being made. */
export async function copyFreshUnits(
  options: FreshUnitsOptions,
  fresh: string,
): Promise<CopiedUnits> {
  const { plan } = options;
  const units = (await isForOne(options))
    ? await copyByOne(options, fresh)
    : await copyByLanes(options, fresh);
  const parts = units.map(({ staged }) => staged);
  const split = plan.units.some(({ part }) => part !== null);
  return {
    staged: split ? await options.parts.join(parts.flatMap((part) => [...part])) : inOne(parts),
    stageMs: new Map(units.map(({ stageMs }, ordinal) => [ordinal, stageMs])),
  };
}

/** Workers whose sessions together do no more than one that writes no WAL. */
const WORKERS_MAX = 2;

/**
 * Whether one session is to copy all units, in one transaction, by which a server with wal_level=minimal
 * (the embedded one) is spared the WAL of all that comes into the table. Nothing is lost by that which
 * would be kept otherwise: a twin that was not filled is dropped, whoever filled it.
 *
 * Of documents, which cost this process as much as the server, one session keeps both at work: 20,000 of 20
 * kB took 0.77 of the server's CPU that two sessions took. Not taken for other files: of CSV this process
 * passes on what four sessions can take.
 */
async function isForOne({ plan, coordinator }: FreshUnitsOptions): Promise<boolean> {
  const documents = plan.files[0]?.description.kind === 'document';
  return documents && plan.concurrency <= WORKERS_MAX && (await skipsWal(coordinator));
}

interface CopiedUnit {
  readonly staged: StagedFiles;
  readonly stageMs: number;
}

async function copyByLanes(options: FreshUnitsOptions, fresh: string): Promise<CopiedUnit[]> {
  const { plan, signal } = options;
  const units: CopiedUnit[] = [];
  const problems: unknown[] = [];
  const remaining = plan.units.values();
  const lane = async (): Promise<void> => {
    for (const unit of remaining) {
      if (problems.length > 0 || signal.aborted) return;
      try {
        const copied = await copyUnit(options, unit, fresh);
        units[unit.ordinal] = copied;
        options.onCopied(copied.staged);
      } catch (error) {
        problems.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: plan.concurrency }, lane));
  signal.throwIfAborted();
  if (problems.length > 0) throw problems[0];
  return units;
}

/** In one session and one transaction, unit after unit, so that each is told of as soon as it is copied. */
async function copyByOne(options: FreshUnitsOptions, sqlName: string): Promise<CopiedUnit[]> {
  const { pool, plan, signal, tell } = options;
  const tasks = await Promise.all(plan.units.map((unit) => taskOf(options, unit)));
  let at: UnitPlan | undefined;
  const session = pool.open({ kind: 'fresh-copy', tasks, sqlName, alone: true }, (news) =>
    tell(present(at, 'the unit that is told of'), news, 1),
  );
  try {
    const units: CopiedUnit[] = [];
    for (const [place, { files }] of tasks.entries()) {
      signal.throwIfAborted();
      at = plan.units[place];
      const copied = copiedUnit((await session.call('copy')) as FreshUnit, files, plan);
      units.push(copied);
      options.onCopied(copied.staged);
    }
    await session.call('commit');
    return units;
  } finally {
    await session.close();
  }
}

async function copyUnit(
  options: FreshUnitsOptions,
  unit: UnitPlan,
  sqlName: string,
): Promise<CopiedUnit> {
  const task = await taskOf(options, unit);
  const fresh = await callWorker<FreshUnit>(
    options.pool,
    { kind: 'fresh-copy', tasks: [task], sqlName, alone: false },
    'copy',
    (news) => options.tell(unit, news, 1),
  );
  return copiedUnit(fresh, task.files, options.plan);
}

async function taskOf({ plan, task, parts }: FreshUnitsOptions, unit: UnitPlan): Promise<UnitTask> {
  const files = unit.files.flatMap((ordinal) => plan.files[ordinal] ?? []);
  const part = await parts.partOf(unit);
  return { load: task, unit: unit.ordinal, files, attempt: 1, part };
}

function copiedUnit(
  { staged, hashes, failure, stageMs }: FreshUnit,
  files: readonly FilePlan[],
  plan: LoadPlan,
): CopiedUnit {
  // Staging tells what COPY refused, and loads the files before it.
  if (failure !== null) throw EtlError.fromRecord(failure.error);
  if (hashes !== null) return { staged: stagedDocuments(files, hashes), stageMs };
  return { staged: staged.map((file) => stagedFile(file, plan.files)), stageMs };
}

function inOne(parts: readonly StagedFiles[]): StagedFiles {
  return {
    length: parts.reduce((sum, { length }) => sum + length, 0),
    *[Symbol.iterator]() {
      for (const part of parts) yield* part;
    },
  };
}

/** Property by property, as in stagedDocument. */
function stagedFile(fresh: FreshFile, files: LoadPlan['files']): StagedFile {
  return {
    file: present(files[fresh.ordinal], 'a file that was copied'),
    rows: fresh.rows,
    staged: fresh.staged,
    contentHash: fresh.contentHash,
    stagedAs: fresh.stagedAs,
    numbered: fresh.numbered,
    sifted: fresh.sifted,
    rejected: fresh.rejected,
    spools: fresh.spools,
  };
}
