import { present } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import { callOption, remedy } from '../../remedy.ts';
import type { Quarantine } from '../../load/quarantine/quarantine.ts';
import { stageCorrected, type StillBad } from '../../load/quarantine/stage-corrected.ts';
import { stageSettled } from '../../load/quarantine/stage-settled.ts';
import type { LoadTask, UnitHooks } from '../../load/unit-task.ts';
import type { FilePlan, LoadPlan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import { endCorrections } from '../../target/corrections.ts';
import { countMeeting, dropLosing, noteLater } from '../../target/corrections-in-order.ts';
import { needsAllRows } from '../../target/merge-sql.ts';
import { dropStaging, type StagingTable } from '../../target/staging.ts';
import type { LoadedPlace } from './loaded-places.ts';
import { mergeCorrections, type MergedCorrections, type RetriedFile } from './merge-corrections.ts';
import { beginTables, columnsBrought, viewOf, type TableCorrections } from './table-corrections.ts';
import { withoutUnfit } from './unfit-corrections.ts';

export interface RetryOptions {
  readonly connection: Connection;
  readonly plan: LoadPlan;
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
  const tables = await beginTables(connection, load, staged.table);
  try {
    await dropSuperseded(options, retried, tables);
    return await mergeCorrections(
      connection,
      { load, quarantine },
      retried,
      { staged, tables },
      bad,
    );
  } finally {
    if (connection.usable()) await endCorrections(connection, tables);
  }
}

/** The neighbours are of no matter to tables that append. */
async function dropSuperseded(
  { connection, plan, load, hooks, neighbours }: RetryOptions,
  retried: readonly RetriedFile[],
  tables: readonly TableCorrections[],
): Promise<void> {
  const corrected = present(retried[0], 'a corrected file').file;
  const first = Math.min(...retried.map(({ place }) => place));
  for (const { place, planned, reject } of neighbours) {
    if (planned === null) continue;
    // Another load of the job brings nothing to the further tables of this one; see refuseUnknown.
    const own = planned.load === plan;
    const met = (own ? tables : tables.slice(0, 1)).filter(
      ({ target }) =>
        target.onConflict === 'ignore' || (target.onConflict !== 'append' && place >= first),
    );
    if (met.length === 0) continue;
    const task = own ? load : withoutFurther(load);
    const { table } = await stageSettled(connection, task, planned.file, reject, hooks);
    for (const corrections of met) {
      const loaded = { table: viewOf(corrections, table), place, file: planned.file };
      await dropFrom(connection, corrections, loaded, corrected);
    }
    await dropStaging(connection, table.sqlName);
  }
}

function withoutFurther(load: LoadTask): LoadTask {
  const own: { -readonly [Name in keyof LoadTask]: LoadTask[Name] } = { ...load };
  delete own.further;
  return own;
}

/** A file that was loaded, as one of the tables has taken it. */
interface LoadedRows {
  readonly table: StagingTable;
  readonly place: number;
  readonly file: FilePlan;
}

async function dropFrom(
  connection: Connection,
  corrections: TableCorrections,
  loaded: LoadedRows,
  corrected: FilePlan,
): Promise<void> {
  const { target } = corrections;
  const { table, place } = loaded;
  if (needsAllRows(target)) return refuseBehind(connection, corrections, loaded, corrected);
  if (!comparable(corrections, corrected, loaded.file)) {
    return refuseMeeting(connection, corrections, loaded, corrected);
  }
  await dropLosing(connection, corrections, table, place);
  if (target.onConflict === 'ignore') await noteLater(connection, corrections, table, place);
}

/**
 * Whether a row of the loaded file wins over a corrected one as a whole. Of `update` it does where it
 * brings all that the corrected one brings.
 */
function comparable(table: TableCorrections, corrected: FilePlan, loaded: FilePlan): boolean {
  const [few, many] = [columnsBrought(table, corrected), columnsBrought(table, loaded)];
  const covers = [...few].every((name) => many.has(name));
  return covers && (table.target.onConflict === 'update' || few.size === many.size);
}

/**
 * Of `insertOnly` columns the first row of a key counts, and with `compare` it depends on each row
 * whether the next is written at all: neither can be made good once later rows are in the table.
 */
async function refuseBehind(
  connection: Connection,
  corrections: TableCorrections,
  { table, place, file }: LoadedRows,
  corrected: FilePlan,
): Promise<void> {
  if ((await countMeeting(connection, corrections, table, place)) === 0) return;
  throw new EtlError(
    'ETL_USAGE',
    `Corrected rows of ${corrected.name} have keys that come again behind them, in ${file.name}; with insertOnly or compare columns what that row left depends on the one before it.`,
    remedy`Correct the input itself, and load all files of the job with ${callOption('force')}.`,
    { file: corrected.name },
  );
}

async function refuseMeeting(
  connection: Connection,
  corrections: TableCorrections,
  { table, file }: LoadedRows,
  corrected: FilePlan,
): Promise<void> {
  if ((await countMeeting(connection, corrections, table)) === 0) return;
  throw new EtlError(
    'ETL_USAGE',
    `Corrected rows of ${corrected.name} have keys that ${file.name} has, too, and it brings other columns; so it cannot be told column by column what they would have left.`,
    remedy`Correct the input itself, and load all files of the job with ${callOption('force')}.`,
    { file: corrected.name },
  );
}
