import { describeError, errorRecordOf, EtlError, type ErrorRecord } from '../errors.ts';
import { redactUrl } from '../job/database-choice.ts';
import { reportJson } from '../report/report-json.ts';
import { safeText } from '../report/safe-text.ts';
import type { WrittenReport } from '../run/report-types.ts';
import type { LoadArguments } from './load-arguments.ts';
import { writeReportFile } from './report-file.ts';
import type { World } from './world.ts';

/**
 * Writes the report of a run that was refused before it began: no connection, no such file, a table
 * that another run holds. Without it `--report` would leave the report of the night before, which says
 * that all was loaded, and `--json` nothing to parse. Never throws: why it was refused is told anyway.
 */
export async function reportRefusal(
  error: unknown,
  startedAt: Date,
  { json, reportPath }: Pick<LoadArguments, 'json' | 'reportPath'>,
  { cwd, signal, stdout, stderr }: World,
): Promise<void> {
  const record = signal.aborted ? INTERRUPTED : withoutPasswords(errorRecordOf(error));
  const text = reportJson(refusedReport(record, startedAt, signal.aborted));
  if (json) stdout.write(text);
  if (reportPath === null) return;
  await writeReportFile(reportPath, cwd, text).catch((failure: unknown) => {
    stderr.write(`etl: ${safeText(describeError(errorRecordOf(failure)))}\n`);
  });
}

const INTERRUPTED = new EtlError(
  'ETL_ABORTED',
  'The run was interrupted before it began.',
  'Run the same command again.',
).record;

function refusedReport(error: ErrorRecord, startedAt: Date, interrupted: boolean): WrittenReport {
  return {
    version: 1,
    runId: null,
    status: interrupted ? 'interrupted' : 'failed',
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    loads: [],
    resources: { rssPeakBytes: 0, cpuUserMs: 0, cpuSystemMs: 0, connectionsPeak: 0 },
    throughput: { rowsPerSecond: 0, bytesPerSecond: 0 },
    error,
  };
}

function withoutPasswords(record: ErrorRecord): ErrorRecord {
  return JSON.parse(
    JSON.stringify(record, (_, value: unknown) =>
      typeof value === 'string' ? redactUrl(value) : value,
    ),
  ) as ErrorRecord;
}
