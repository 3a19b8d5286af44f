import type { History } from '../check/history.ts';
import type { PastFile, PastRun } from '../target/history.ts';
import { formatCount, formatDuration, formatSeconds, NOTHING } from './format.ts';
import { labelled, pageFor, type Page } from './page.ts';
import { safeText } from './safe-text.ts';
import { renderTable, type Cell, type Column } from './table.ts';

/**
 * The runs of a ledger, newest first; of a single run its files, too. Ends in a line end.
 * `table`: that alone was asked for.
 */
export function printHistory(
  history: History,
  options: { readonly color: boolean; readonly width: number; readonly table?: string | null },
): string {
  const page = pageFor(options);
  const { runs, files } = history;
  if (runs.length === 0) return `The ledger knows of no run${onTable(options.table ?? null)}.\n`;
  const [run] = runs;
  if (files === null || run === undefined) return `${runsTable(runs, page)}\n`;
  const parts = [runFacts(run, page), ...(files.length === 0 ? [] : [filesTable(files, page)])];
  return `${parts.join('\n\n')}\n`;
}

function onTable(table: string | null): string {
  return table === null ? '' : ` that loaded into ${safeText(table)}, or tried to`;
}

const RUN_COLUMNS: readonly Column[] = [
  { title: 'run', align: 'left' },
  { title: 'started (UTC)', align: 'left' },
  { title: 'took', align: 'right', dropRank: 2 },
  { title: 'tables', align: 'left', fit: 'cut' },
  { title: 'loaded', align: 'right' },
  { title: 'skipped', align: 'right', dropRank: 3 },
  { title: 'failed', align: 'right', dropRank: 4 },
  { title: 'read', align: 'right' },
  { title: 'inserted', align: 'right', dropRank: 5 },
  { title: 'updated', align: 'right', dropRank: 6 },
  { title: 'status', align: 'left' },
];

function runsTable(runs: readonly PastRun[], page: Page): string {
  const rows = runs.map((run): Cell[] => [
    safeText(run.runId),
    timeText(run.startedAt),
    run.durationMs === null ? NOTHING : formatDuration(run.durationMs),
    safeText(run.tables.join(', ')),
    formatCount(run.files.loaded),
    formatCount(run.files.skipped),
    formatCount(run.files.failed),
    formatCount(run.rows.rowsRead),
    formatCount(run.rows.inserted),
    formatCount(run.rows.updated),
    { text: safeText(statusText(run)), paint: paintOf(run, page) },
  ]);
  return renderTable(RUN_COLUMNS, rows, { page, indent: 0 });
}

function runFacts(run: PastRun, page: Page): string {
  const { files, rows } = run;
  const ended =
    run.durationMs === null
      ? ''
      : `, ${run.finishedAt === null ? 'for' : 'took'} ${formatDuration(run.durationMs)}`;
  const facts: [string, string][] = [
    ['run', `${run.runId}, ${statusText(run)}`],
    ['started', `${timeText(run.startedAt)} UTC${ended}`],
    ['by', `process ${run.pid} on ${run.host}, plan ${run.planId}`],
    ['tables', run.tables.join(', ') || NOTHING],
    [
      'files',
      `${formatCount(files.loaded)} loaded, ${formatCount(files.skipped)} skipped, ${formatCount(files.failed)} failed, ${formatCount(files.notLoaded)} not loaded`,
    ],
    [
      'rows',
      `${formatCount(rows.rowsRead)} read: ${formatCount(rows.inserted)} inserted, ${formatCount(rows.updated)} updated, ${formatCount(rows.unchanged)} unchanged, ${formatCount(rows.superseded)} superseded, ${formatCount(rows.rejected)} rejected`,
    ],
    ...(run.error === null ? [] : [['error', run.error] as [string, string]]),
  ];
  return facts
    .map(([label, text]) => labelled(label, safeText(text), { margin: 0, labelWidth: 9 }, page))
    .join('\n');
}

const FILE_COLUMNS: readonly Column[] = [
  { title: 'table', align: 'left', fit: 'cut', dropRank: 6 },
  { title: 'file', align: 'left', fit: 'cut' },
  { title: 'read', align: 'right' },
  { title: 'inserted', align: 'right' },
  { title: 'updated', align: 'right' },
  { title: 'unchanged', align: 'right', dropRank: 3 },
  { title: 'superseded', align: 'right', dropRank: 2 },
  { title: 'stage s', align: 'right', dropRank: 4 },
  { title: 'wait s', align: 'right', dropRank: 5 },
  { title: 'merge s', align: 'right', dropRank: 4 },
  { title: 'status', align: 'left', fit: 'wrap' },
];

function filesTable(files: readonly PastFile[], page: Page): string {
  const rows = files.map((file): Cell[] => [
    safeText(file.table),
    safeText(file.path),
    formatCount(file.rows.rowsRead),
    formatCount(file.rows.inserted),
    formatCount(file.rows.updated),
    formatCount(file.rows.unchanged),
    formatCount(file.rows.superseded),
    formatSeconds(file.stageMs),
    formatSeconds(file.waitMs),
    formatSeconds(file.mergeMs),
    file.error === null
      ? file.status
      : { text: safeText(`failed: ${file.error.sentence}`), paint: page.ink.red },
  ]);
  return renderTable(FILE_COLUMNS, rows, { page, indent: 0 });
}

function statusText({ status }: PastRun): string {
  return status === 'cut-off' ? 'cut off' : status;
}

function paintOf({ status }: PastRun, { ink }: Page): (text: string) => string {
  if (status === 'loaded') return ink.green;
  return status === 'failed' || status === 'cut-off' ? ink.red : ink.yellow;
}

/** `2026-11-22 10:00:05`, of an ISO time. */
function timeText(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}
