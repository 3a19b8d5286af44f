import { errorRecordOf } from '../errors.ts';
import { writeLoadRecord } from '../target/load-record.ts';
import type { LoadReport } from './report-types.ts';
import type { RunContext } from './run-context.ts';

/**
 * Keeps a load's end for `etl history`. It comes after the ledger, which alone decides what is
 * loaded; so where it cannot be written the load is no failure, and a notice says so.
 */
export async function recordLoad(
  { coordinator, plan, runId, onEvent }: RunContext,
  index: number,
  report: LoadReport,
  durationMs: number,
): Promise<void> {
  if (!coordinator.usable()) return;
  try {
    await writeLoadRecord(coordinator, plan.settings.ledgerSchema, {
      runId,
      ordinal: index,
      table: report.table,
      strategy: report.strategy,
      concurrency: report.concurrency,
      totals: report.totals,
      durationMs: Math.round(durationMs),
      files: report.files,
      unlisted: report.unlisted ?? [],
    });
  } catch (error) {
    const { sentence } = errorRecordOf(error);
    const notice = `The history of this load could not be kept: ${sentence} The load itself stays.`;
    onEvent({ kind: 'notice', load: index, sentence: notice });
  }
}
