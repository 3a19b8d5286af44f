import { EtlError } from '../../errors.ts';
import type { Quarantine } from '../../load/quarantine/quarantine.ts';
import { stageCorrected, type StillBad } from '../../load/quarantine/stage-corrected.ts';
import { stageSettled } from '../../load/quarantine/stage-settled.ts';
import type { LoadTask, UnitHooks } from '../../load/unit-task.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import {
  beginCorrections,
  countMeeting,
  dropLosing,
  endCorrections,
  noteLater,
  type Corrections,
} from '../../target/corrections.ts';
import { needsAllRows } from '../../target/merge-sql.ts';
import { dropStaging, type StagingTable } from '../../target/staging.ts';
import type { LoadedPlace } from './loaded-places.ts';
import { mergeCorrections, type MergedCorrections, type RetriedFile } from './merge-corrections.ts';
import { withoutUnfit } from './unfit-corrections.ts';

export interface RetryOptions {
  readonly connection: Connection;
  readonly load: LoadTask;
  readonly quarantine: Quarantine;
  readonly hooks: UnitHooks;
  /** See `neighbours`. */
  readonly neighbours: readonly LoadedPlace[];
}

/**
 * Loads the corrected rows of files that bring the same columns, in one transaction, as if each had
 * stood in its file at its place.
 *
 * For that the files whose rows may win over them, or lose to them, are staged once more, one after
 * another: the price is a staging of these files, whatever few rows are corrected. Where a corrected
 * row loses to a row that the table got nothing is written, so what others have done to the table since
 * stays. (To load all rows of the corrected keys again in their order would be shorter, and overwrite
 * that; and with `newest` it would need the row that was there before the first load.)
 *
 * Rows that are still bad are added to `bad`.
 */
export async function retryFiles(
  options: RetryOptions,
  retried: readonly RetriedFile[],
  bad: StillBad,
): Promise<MergedCorrections> {
  const { connection, load, quarantine, hooks } = options;
  const staged = await stageCorrected(connection, load, quarantine, retried, bad, hooks.signal);
  await withoutUnfit(connection, { load, quarantine }, retried, staged, bad);
  const corrections = { target: load.target, table: staged.table };
  await beginCorrections(connection, corrections);
  try {
    await dropSuperseded(options, retried, corrections);
    return await mergeCorrections(connection, { load, quarantine }, retried, staged, bad);
  } finally {
    if (connection.usable()) await endCorrections(connection, corrections);
  }
}

async function dropSuperseded(
  { connection, load, hooks, neighbours }: RetryOptions,
  retried: readonly RetriedFile[],
  corrections: Corrections,
): Promise<void> {
  const [one] = retried;
  const first = Math.min(...retried.map(({ place }) => place));
  for (const { place, planned, reject } of neighbours) {
    const ignores = load.target.onConflict === 'ignore';
    if (planned === null || one === undefined || (place < first && !ignores)) continue;
    const { table } = await stageSettled(connection, load, planned.file, reject, hooks);
    if (needsAllRows(load.target)) {
      await refuseBehind(connection, corrections, { table, place }, one.file, planned.file);
    } else if (!comparable(load, one.file, planned.file)) {
      await refuseMeeting(connection, corrections, table, one.file, planned.file);
    } else {
      await dropLosing(connection, corrections, table, place);
      if (ignores) await noteLater(connection, corrections, table, place);
    }
    await dropStaging(connection, table.sqlName);
  }
}

/**
 * Whether a row of the loaded file wins over a corrected one as a whole. Of `update` it does where it
 * brings all that the corrected one brings.
 */
function comparable({ target }: LoadTask, corrected: FilePlan, loaded: FilePlan): boolean {
  const [few, many] = [columnsOf(corrected), columnsOf(loaded)];
  const covers = [...few].every((name) => many.has(name));
  return covers && (target.onConflict === 'update' || few.size === many.size);
}

export function columnsOf({ targets }: FilePlan): ReadonlySet<string> {
  return new Set(targets.flatMap((name) => name ?? []));
}

/**
 * Of `insertOnly` columns the first row of a key counts, and with `compare` it depends on each row
 * whether the next is written at all: neither can be made good once later rows are in the table.
 */
async function refuseBehind(
  connection: Connection,
  corrections: Corrections,
  loaded: { readonly table: StagingTable; readonly place: number },
  corrected: FilePlan,
  later: FilePlan,
): Promise<void> {
  const { table, place } = loaded;
  if ((await countMeeting(connection, corrections, table, place)) === 0) return;
  throw new EtlError(
    'ETL_USAGE',
    `Corrected rows of ${corrected.name} have keys that come again behind them, in ${later.name}; with insertOnly or compare columns what that row left depends on the one before it.`,
    'Correct the input itself, and load all files of the job with --force.',
    { file: corrected.name },
  );
}

async function refuseMeeting(
  connection: Connection,
  corrections: Corrections,
  table: StagingTable,
  corrected: FilePlan,
  loaded: FilePlan,
): Promise<void> {
  if ((await countMeeting(connection, corrections, table)) === 0) return;
  throw new EtlError(
    'ETL_USAGE',
    `Corrected rows of ${corrected.name} have keys that ${loaded.name} has, too, and it brings other columns; so it cannot be told column by column what they would have left.`,
    'Correct the input itself, and load all files of the job with --force.',
    { file: corrected.name },
  );
}
