import { retryable } from '../conflict/retry-policy.ts';
import { errorRecordOf } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { SharedUnit } from '../load/shared-staging.ts';
import type { FileFailure } from '../load/unit-session.ts';
import type { StagedFile } from '../load/unit-task.ts';
import type { UnitPlan } from '../plan/plan-types.ts';
import { sharedStagingName } from '../target/shared-staging.ts';
import type { StagingTable } from '../target/staging.ts';
import { createCreationTurns, type CreationTurns } from './creation-turns.ts';
import { createFileParts, type FileParts } from './file-parts.ts';
import { createPartEvents, type TellNews } from './part-events.ts';
import { ofFiles } from './pool-workers.ts';
import type { RangeOptions } from './range-options.ts';
import {
  createSupersededSieve,
  type SupersededByFile,
  type SupersededSieve,
} from './superseded-rows.ts';
import { waitToRetry } from './wait-to-retry.ts';

/** All that the range pipeline has staged, in order of precedence. */
export interface StagedLoad {
  readonly tables: readonly StagingTable[];
  /** Names of the tables that hold rows. */
  readonly filled: readonly string[];
  readonly files: readonly StagedFile[];
  /** Milliseconds of staging and tries, by unit; a file that is split has several. */
  readonly stageMs: ReadonlyMap<number, number>;
  readonly attempts: ReadonlyMap<number, number>;
  /** The failure of the earliest file that failed. */
  readonly failure: FileFailure | null;
}

/** Stages the units, `concurrency` at a time; the first failure lets no more begin. */
export async function stageAll(options: RangeOptions): Promise<StagedLoad> {
  const parts = createFileParts(options);
  try {
    return await stageUnits({
      ...options,
      parts,
      tell: createPartEvents(options.loadIndex, options.onEvent),
      turns: options.task.createsInOrder === true ? createCreationTurns() : null,
    });
  } finally {
    await parts.close();
  }
}

interface StagingOptions extends RangeOptions {
  readonly parts: FileParts;
  readonly tell: TellNews;
  readonly turns: CreationTurns | null;
}

async function stageUnits(options: StagingOptions): Promise<StagedLoad> {
  const { plan, parts, signal } = options;
  const units = new Map<number, SharedUnit>();
  const attempts = new Map<number, number>();
  const failures: (FileFailure & { readonly unit: number })[] = [];
  const fail = (unit: UnitPlan, failure: FileFailure): void => {
    failures.push({ ...failure, unit: unit.ordinal });
    options.turns?.fail(unit.ordinal);
  };
  const sieve = plan.dropSuperseded ? createSupersededSieve(options, parts) : null;
  const remaining = (sieve?.units ?? plan.units).values();
  const lane = async (): Promise<void> => {
    for (const unit of remaining) {
      if (failures.length > 0 || signal.aborted) return;
      const staged = await stageUnit(options, unit, sieve, attempts).catch((error: unknown) => {
        if (!signal.aborted) fail(unit, failureIn(options, unit, error));
        return null;
      });
      if (staged === null) return;
      units.set(unit.ordinal, staged);
      if (staged.failure !== null) fail(unit, staged.failure);
    }
  };
  await Promise.all(Array.from({ length: plan.concurrency }, lane));
  const inOrder = [...units].sort(([a], [b]) => a - b).map(([, unit]) => unit);
  let files = inOrder.flatMap((unit) => unit.staged);
  const last = plan.units.at(-1);
  if (failures.length === 0 && !signal.aborted && last !== undefined) {
    files = await parts.join(files).catch((error: unknown) => {
      fail(last, failureIn(options, { files: plan.units.flatMap((unit) => unit.files) }, error));
      return [];
    });
  }
  const [failure] = failures.sort((a, b) => a.file - b.file || a.unit - b.unit);
  return {
    tables: inOrder.flatMap(({ table }) => table ?? []),
    filled: inOrder
      .filter((unit) => unit.staged.some((file) => file.staged > 0))
      .flatMap(({ table }) => table?.sqlName ?? []),
    files,
    stageMs: new Map([...units].map(([ordinal, unit]) => [ordinal, unit.stageMs])),
    attempts,
    failure: failure === undefined ? null : { file: failure.file, error: failure.error },
  };
}

/** Not a word of the file in the error: then it is told of the unit's first. */
function failureIn(
  { plan }: RangeOptions,
  unit: Pick<UnitPlan, 'files'>,
  error: unknown,
): FileFailure {
  const record = errorRecordOf(error);
  const named = unit.files.find((file) => plan.files[file]?.name === record.facts.file);
  return { file: named ?? unit.files[0] ?? 0, error: record };
}

/** The sieve must be asked in the order of its units, so nothing is awaited before it is. */
async function stageUnit(
  options: StagingOptions,
  unit: UnitPlan,
  sieve: SupersededSieve | null,
  attempts: Map<number, number>,
): Promise<SharedUnit> {
  const superseded = sieve === null ? new Map<number, never>() : await sieve.sift(unit);
  return stageWithRetries(options, unit, superseded, attempts);
}

async function stageWithRetries(
  options: StagingOptions,
  unit: UnitPlan,
  superseded: SupersededByFile,
  attempts: Map<number, number>,
): Promise<SharedUnit> {
  for (let attempt = 1; ; attempt++) {
    attempts.set(unit.ordinal, attempt);
    try {
      return await stageOnce(options, unit, superseded, attempt);
    } catch (error) {
      const record = errorRecordOf(error);
      if (options.signal.aborted || attempt >= LIMITS.attemptsMax || !retryable(record))
        throw error;
      const failed = { file: unit.files[0] ?? 0, attempt, error: record };
      await waitToRetry(options, failed, options.signal);
    }
  }
}

async function stageOnce(
  { pool, plan, task, parts, tell, rejectPaths, turns }: StagingOptions,
  unit: UnitPlan,
  superseded: SupersededByFile,
  attempt: number,
): Promise<SharedUnit> {
  const files = unit.files.flatMap((ordinal) => plan.files[ordinal] ?? []);
  const part = await parts.partOf(unit);
  const { schema, tableOid, runId } = task.ledger;
  const sqlName = sharedStagingName(schema, { tableOid, runId, unit: unit.ordinal });
  const session = pool.open(
    {
      kind: 'shared-staging',
      task: {
        load: task,
        unit: unit.ordinal,
        files,
        attempt,
        superseded,
        part,
        rejectPaths: ofFiles(rejectPaths, files),
      },
      sqlName,
    },
    (news) => tell(unit, news, attempt),
  );
  try {
    if (turns !== null) return await turns.stage<SharedUnit>(unit.ordinal, session);
    return (await session.call('stage')) as SharedUnit;
  } finally {
    await session.close();
  }
}
