import { errorRecordOf } from '../../errors.ts';
import { isRowFaultError, type Quarantine } from '../../load/quarantine/quarantine.ts';
import { rejectRefused } from '../../load/quarantine/reject-refused.ts';
import type {
  CorrectedFile,
  StagedCorrections,
  StillBad,
} from '../../load/quarantine/stage-corrected.ts';
import { mergeFurther } from '../../load/merge-further.ts';
import type { LoadTask } from '../../load/unit-task.ts';
import type { Connection } from '../../target/connect.ts';
import {
  allCorrections,
  forgetCorrections,
  recordCorrections,
  replaceLater,
  type Corrections,
} from '../../target/corrections.ts';
import type { TargetCounts } from '../../target/counts.ts';
import { merge } from '../../target/merge.ts';
import { inTransaction } from '../../target/transaction.ts';
import type { RejectRecord } from '../../target/reject-record.ts';
import { filesOf, noteRejected } from './unfit-corrections.ts';

/** A file whose rejected rows are corrected. */
export interface RetriedFile extends CorrectedFile {
  readonly reject: RejectRecord;
}

export interface MergedCorrections {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Of each further table; absent: there is none. */
  readonly targets?: readonly TargetCounts[];
}

/**
 * Writes the corrected rows that have not lost, and into the ledger that all of them are corrected, in
 * one transaction. What the table refuses goes to `bad`, and then the rest is written.
 */
export async function mergeCorrections(
  connection: Connection,
  { load, quarantine }: { readonly load: LoadTask; readonly quarantine: Quarantine },
  retried: readonly RetriedFile[],
  { table, files }: StagedCorrections,
  bad: StillBad,
): Promise<MergedCorrections> {
  const corrections = { target: load.target, table };
  await forgetBad(connection, bad);
  let staged = filesOf(retried, { files });
  for (let round = 1; ; round++) {
    try {
      return await inTransaction(connection, () => write(connection, load, corrections, retried));
    } catch (error) {
      if (!isRowFaultError(error)) throw error;
      const spool = `${quarantine.spoolPrefix}retry-${round}`;
      const refusal = errorRecordOf(error);
      const rest = await rejectRefused(connection, load, [table], staged, refusal, spool);
      if (rest === null) throw error;
      staged = rest;
      await noteRejected(staged, bad);
      await forgetBad(connection, bad);
    }
  }
}

async function write(
  connection: Connection,
  load: LoadTask,
  corrections: Corrections,
  retried: readonly RetriedFile[],
): Promise<MergedCorrections> {
  const { target, table } = corrections;
  const began = new Map(retried.map(({ place, reject }) => [place, reject.began]));
  const replaced =
    target.onConflict === 'ignore' ? await replaceLater(connection, corrections, began) : 0;
  const [left] = await connection.query(`select count(*) as rows from ${table.sqlName}`);
  const stagedRows = Number(left?.['rows']);
  const source = { tables: [table], file: null, owner: null };
  const merged =
    stagedRows === 0
      ? { inserted: 0, updated: 0, unchanged: 0 }
      : await merge(connection, target, source, { countRows: load.countRows, stagedRows });
  const placed = retried.map(({ place, reject }) => ({
    place,
    runId: reject.runId,
    path: reject.path,
  }));
  const further = await appendAll(connection, load, corrections);
  await recordCorrections(connection, load.ledger, corrections, placed);
  return { ...merged, updated: merged.updated + replaced, ...further };
}

/** Into further tables that keep every row, those included that lose to others in the first table. */
async function appendAll(
  connection: Connection,
  load: LoadTask,
  corrections: Corrections,
): Promise<Pick<MergedCorrections, 'targets'>> {
  if (load.further === undefined) return {};
  const all = allCorrections(corrections);
  const [counted] = await connection.query(`select count(*) as rows from ${all.sqlName}`);
  const rows = Number(counted?.['rows']);
  return { targets: await mergeFurther(connection, load, all, null, rows) };
}

async function forgetBad(connection: Connection, bad: StillBad): Promise<void> {
  const rows = [...bad].flatMap(([file, records]) =>
    [...records.keys()].map((record) => ({ file, record })),
  );
  await forgetCorrections(connection, rows);
}
