import { present } from '../../assert.ts';
import { errorRecordOf } from '../../errors.ts';
import { tableChanged } from '../../load/table-changed.ts';
import { isRowFaultError, type Quarantine } from '../../load/quarantine/quarantine.ts';
import { rejectRefused } from '../../load/quarantine/reject-refused.ts';
import type {
  CorrectedFile,
  StagedCorrections,
  StillBad,
} from '../../load/quarantine/stage-corrected.ts';
import type { LoadTask } from '../../load/unit-task.ts';
import type { Connection } from '../../target/connect.ts';
import { forgetCorrections, recordCorrections } from '../../target/corrections.ts';
import type { TargetCounts } from '../../target/counts.ts';
import type { MergeCounts } from '../../target/counts.ts';
import { inTransaction } from '../../target/transaction.ts';
import type { RejectRecord } from '../../target/reject-record.ts';
import { mergeLeft, mergeLeftFurther, type TableCorrections } from './table-corrections.ts';
import { filesOf, noteRejected } from './unfit-corrections.ts';

/** A file whose rejected rows are corrected. */
export interface RetriedFile extends CorrectedFile {
  readonly reject: RejectRecord;
}

export interface MergedCorrections extends MergeCounts {
  /** Of each further table; absent: there is none. */
  readonly targets?: readonly TargetCounts[];
}

/** Corrected rows that are staged, and those that each table of the load has left of them. */
export interface ReadyCorrections {
  readonly staged: StagedCorrections;
  readonly tables: readonly TableCorrections[];
}

/**
 * Writes the corrected rows that have not lost, and into the ledger that all of them are corrected, in
 * one transaction. What the table refuses goes to `bad`, and then the rest is written.
 */
export async function mergeCorrections(
  connection: Connection,
  { load, quarantine }: { readonly load: LoadTask; readonly quarantine: Quarantine },
  retried: readonly RetriedFile[],
  corrections: ReadyCorrections,
  bad: StillBad,
): Promise<MergedCorrections> {
  const { staged, tables } = corrections;
  await forgetBad(connection, tables, bad);
  let files = filesOf(retried, staged);
  for (let round = 1; ; round++) {
    try {
      return await inTransaction(connection, () => write(connection, load, corrections, retried));
    } catch (error) {
      if (!isRowFaultError(error)) throw error;
      const spool = `${quarantine.spoolPrefix}retry-${round}`;
      const refusal = errorRecordOf(error);
      const rest = await rejectRefused(connection, load, [staged.table], files, refusal, spool);
      if (rest === null) throw error;
      files = rest;
      await noteRejected(files, bad);
      await forgetBad(connection, tables, bad);
    }
  }
}

async function write(
  connection: Connection,
  { further = [], ledger, sqlName }: LoadTask,
  { staged, tables }: ReadyCorrections,
  retried: readonly RetriedFile[],
): Promise<MergedCorrections> {
  const [own, ...others] = tables;
  const began = new Map(retried.map(({ place, reject }) => [place, reject.began]));
  const changed = (error: unknown): never => {
    throw tableChanged(error, sqlName);
  };
  const merged = await mergeLeft(connection, present(own, 'the table of the load'), began).catch(
    changed,
  );
  const targets = await mergeLeftFurther(connection, staged.table, others, began);
  const placed = retried.map(({ place, reject: { runId, path } }) => ({ place, runId, path }));
  const views = further.map((table, index) => ({
    sqlName: table.sqlName,
    columns: staged.table.views?.[index]?.columns ?? [],
  }));
  await recordCorrections(connection, ledger, staged.table, views, placed).catch(changed);
  return targets.length === 0 ? merged : { ...merged, targets };
}

async function forgetBad(
  connection: Connection,
  tables: readonly TableCorrections[],
  bad: StillBad,
): Promise<void> {
  const rows = [...bad].flatMap(([file, records]) =>
    [...records.keys()].map((record) => ({ file, record })),
  );
  await forgetCorrections(connection, tables, rows);
}
