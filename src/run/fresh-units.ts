import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { FreshFile, FreshUnit } from '../load/fresh-copy.ts';
import { stagedDocuments, type StagedFiles } from '../load/staged-documents.ts';
import type { LoadTask, StagedFile } from '../load/unit-task.ts';
import type { LoadPlan, UnitPlan } from '../plan/plan-types.ts';
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
  if (await isForOne(options)) {
    const copied = await copyUnit(options, allOf(plan.units), fresh, true);
    options.onCopied(copied.staged);
    return {
      staged: copied.staged,
      stageMs: new Map(plan.units.map(({ ordinal }) => [ordinal, copied.stageMs])),
    };
  }
  const units = await copyByLanes(options, fresh);
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

function allOf(units: readonly UnitPlan[]): UnitPlan {
  return {
    ordinal: 0,
    files: units.flatMap(({ files }) => files),
    part: null,
    estimatedRows: units.reduce((sum, unit) => sum + unit.estimatedRows, 0),
    bytes: units.reduce((sum, unit) => sum + unit.bytes, 0),
    range: null,
  };
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
        const copied = await copyUnit(options, unit, fresh, false);
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

async function copyUnit(
  { pool, plan, task, parts, tell }: FreshUnitsOptions,
  unit: UnitPlan,
  sqlName: string,
  alone: boolean,
): Promise<CopiedUnit> {
  const files = unit.files.flatMap((ordinal) => plan.files[ordinal] ?? []);
  const part = await parts.partOf(unit);
  const order = { load: task, unit: unit.ordinal, files, attempt: 1, part };
  const { staged, hashes, failure, stageMs } = await callWorker<FreshUnit>(
    pool,
    { kind: 'fresh-copy', task: order, sqlName, alone },
    'copy',
    (news) => tell(unit, news, 1),
  );
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
