import { LIMITS } from '../limits.ts';
import type { LoadReport, Report, RunStatus } from '../run/report-types.ts';
import { errorLines } from './error-text.ts';
import { exitCodeOfReport } from './exit-code.ts';
import { formatCount, formatCounted, formatDuration } from './format.ts';
import { moreLines, pageFor, paragraph } from './page.ts';
import type { Page } from './page.ts';
import { safeText } from './safe-text.ts';
import { predictionLines } from './summary-prediction.ts';
import { filesOf, summaryTable } from './summary-table.ts';

/** What a run did: a table per load, the errors, one closing line. Ends in a line end. */
export function printSummary(
  report: Report,
  options: { readonly color: boolean; readonly width: number; readonly verbose?: boolean },
): string {
  const page = pageFor(options);
  const elapsedMs = Date.parse(report.finishedAt) - Date.parse(report.startedAt);
  // The report times the run, not each load, so only a single load can be given its seconds.
  const loadMs = report.loads.length === 1 ? elapsedMs : null;
  const errors = errorLines(report, page);
  const blocks = [
    ...report.loads.map((load) =>
      [
        loadBlock(load, loadMs, page),
        ...predictionLines(load, options.verbose ?? false, page),
      ].join('\n'),
    ),
    ...(errors.length === 0 ? [] : [errors.join('\n')]),
    closingLine(report, elapsedMs, page),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function loadBlock(load: LoadReport, loadMs: number | null, page: Page): string {
  if (!isSkipped(load)) {
    const lines = [loadHeading(load, page), summaryTable(load, loadMs, page)];
    return [
      ...lines,
      ...targetTexts(load, page),
      ...rejectLines(load, page),
      ...createdLines(load, page),
    ].join('\n');
  }
  const files = formatCounted(filesOf(load), 'file');
  const text = `${files} skipped, loaded by an earlier run. --force loads again.`;
  return `${page.ink.bold(safeText(load.table))}\n${paragraph(text, 2, page)}`;
}

/** `global_usernames: 1,200 inserted, 800 unchanged`, for each further table. */
function targetTexts({ targets = [] }: LoadReport, page: Page): readonly string[] {
  return targets.map(({ table, ...counts }) => {
    const told = Object.entries(counts).flatMap(([name, count]) =>
      count === null || count === 0 ? [] : [`${formatCount(count)} ${name}`],
    );
    const text =
      told.length > 0 ? told.join(', ') : counts.inserted === null ? 'not known' : 'nothing';
    return paragraph(`and into ${safeText(table)}: ${text}`, 2, page);
  });
}

function createdLines({ lookups = [] }: LoadReport, page: Page): readonly string[] {
  return lookups
    .filter(({ created }) => created > 0)
    .map(({ table, created }) =>
      paragraph(`${formatCounted(created, 'row')} created in ${safeText(table)}`, 2, page),
    );
}

/** Where the rejected rows are, file by file. */
function rejectLines({ files }: LoadReport, page: Page): readonly string[] {
  const rejected = files.flatMap((file) =>
    file.rejects === null ? [] : [{ rows: file.rejected ?? 0, path: file.rejects }],
  );
  const shownMax = LIMITS.summaryFilesShownMax;
  return [
    ...rejected
      .slice(0, shownMax)
      .map(({ rows, path }) =>
        page.ink.yellow(
          paragraph(safeText(`${formatCounted(rows, 'row')} rejected: ${path}`), 2, page),
        ),
      ),
    ...moreLines(rejected.length, shownMax, page),
  ];
}

function isSkipped({ files, unlisted = [] }: LoadReport): boolean {
  return files.length > 0 && [...files, ...unlisted].every(({ status }) => status === 'skipped');
}

function loadHeading(load: LoadReport, { ink }: Page): string {
  const key = load.key.length === 0 ? 'no key' : `key ${load.key.join(', ')}`;
  const workers = formatCounted(load.concurrency, 'worker');
  return `${ink.bold(safeText(load.table))}  ${safeText(key)}, ${load.strategy}, ${workers}`;
}

function closingLine(report: Report, elapsedMs: number, { ink }: Page): string {
  const exitCode = exitCodeOfReport(report);
  if (report.status === 'loaded' && report.loads.every(isSkipped)) {
    return `${ink.green('Nothing to load:')} an earlier run loaded all of it, exit code ${exitCode}`;
  }
  const paint = report.status === 'loaded' ? ink.green : exitCode === 3 ? ink.yellow : ink.red;
  const rows = report.loads.reduce((sum, load) => sum + load.totals.rowsRead, 0);
  const rate = formatCount(report.throughput.rowsPerSecond);
  const facts = `${formatCounted(rows, 'row')} read in ${formatDuration(elapsedMs)}, ${rate} rows/s`;
  return `${paint(`${STATUS_TEXT[report.status]}:`)} ${facts}, exit code ${exitCode}`;
}

const STATUS_TEXT: Readonly<Record<RunStatus, string>> = {
  loaded: 'Loaded',
  'rejected-rows': 'Loaded with rejected rows',
  failed: 'Failed',
  interrupted: 'Interrupted',
};
