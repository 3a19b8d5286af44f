import { LIMITS } from '../limits.ts';
import { sumKnown, type KnownCounts } from '../target/known-counts.ts';
import type { Counts, FileReport, LoadReport, UnlistedFiles } from '../run/report-types.ts';
import { COUNT_NAMES, workMs } from './file-counts.ts';
import { formatCount, formatCounted, formatSeconds, perSecond } from './format.ts';
import type { Page } from './page.ts';
import { safeText } from './safe-text.ts';
import { renderTable } from './table.ts';
import type { Cell, Column } from './table.ts';

type Status = FileReport['status'];

/** One row per file, or per group of files where they are many, and the load's exact totals. */
export function summaryTable(load: LoadReport, loadMs: number | null, page: Page): string {
  const folder = commonFolder(load.files.map((file) => file.path));
  const rows = groupFiles(load).map((group) => groupRow(group, folder, page));
  const files = filesOf(load, 'loaded');
  const total = [
    `${formatCounted(files, 'file')} loaded`,
    ...countCells(load.totals, loadMs),
    '',
  ].map((text) => ({ text, paint: page.ink.bold }));
  const table = renderTable(columnsFor(load.totals), [...rows, total], {
    page,
    indent: 2,
    footerRows: 1,
  });
  const unknown = load.files.some((file) => file.status === 'loaded' && file.inserted === null);
  return unknown ? `${table}\n  ${page.ink.dim(unknownNote(load))}` : table;
}

/** Where the table is too wide, counts that are zero go first, without a word, then the speed. */
function columnsFor(totals: Counts): readonly Column[] {
  const counts = COUNT_NAMES.map((name, index): Column => {
    const title = name === 'rowsRead' ? 'read' : name;
    const column = { title, align: 'right' } as const;
    return name === 'rowsRead' || totals[name] > 0
      ? column
      : { ...column, dropRank: 3 + index, quiet: true };
  });
  return [
    { title: 'file', align: 'left', fit: 'cut' },
    ...counts,
    { title: 'seconds', align: 'right', dropRank: 1 },
    { title: 'rows/s', align: 'right', dropRank: 2 },
    { title: 'status', align: 'left' },
  ];
}

function unknownNote(load: LoadReport): string {
  return `– is not known per file with the strategy ${load.strategy}; the totals are exact.`;
}

/** Files of a load, of one status or of all, those that the report only counts among them. */
export function filesOf({ files, unlisted = [] }: LoadReport, status?: Status): number {
  const isMeant = (one: { readonly status: Status }): boolean =>
    status === undefined || one.status === status;
  return (
    unlisted.filter(isMeant).reduce((sum, group) => sum + group.files, 0) +
    files.filter(isMeant).length
  );
}

/** Files of one status that share a row. */
interface FileGroup {
  readonly status: Status;
  readonly files: readonly FileReport[];
  /** Those that the report only counts. */
  readonly unlisted?: UnlistedFiles | undefined;
}

/** Where files are many, those that did not load stand alone and the others are summed. */
function groupFiles({ files, unlisted = [] }: LoadReport): readonly FileGroup[] {
  const shownMax = LIMITS.summaryFilesShownMax;
  if (files.length <= shownMax) return files.map(alone);
  const troubled = files.filter((file) => TROUBLED[file.status]);
  const shown = troubled.slice(0, shownMax);
  const rest = [...troubled.slice(shownMax), ...files.filter((file) => !TROUBLED[file.status])];
  const groups = STATUSES.map((status) => ({
    status,
    files: rest.filter((file) => file.status === status),
    unlisted: unlisted.find((group) => group.status === status),
  }));
  const isShown = (group: FileGroup): boolean =>
    group.files.length > 0 || group.unlisted !== undefined;
  return [...shown.map(alone), ...groups.filter(isShown)];
}

const STATUSES: readonly Status[] = ['failed', 'not-loaded', 'skipped', 'loaded'];
const TROUBLED: Readonly<Record<Status, boolean>> = {
  loaded: false,
  skipped: false,
  failed: true,
  'not-loaded': true,
};

function alone(file: FileReport): FileGroup {
  return { status: file.status, files: [file] };
}

function groupRow(group: FileGroup, folder: string, page: Page): readonly Cell[] {
  const [first, ...others] = group.files;
  const { unlisted } = group;
  const single = others.length === 0 && unlisted === undefined ? first : undefined;
  const name =
    single === undefined
      ? formatCounted(group.files.length + (unlisted?.files ?? 0), 'file')
      : safeText(single.path.slice(folder.length));
  // Files of one group share the seconds of their unit, so seconds are never summed over files.
  const milliseconds = single === undefined ? null : workMs(single);
  const counts = unlisted === undefined ? group.files : [...group.files, unlisted];
  const cells = [name, ...countCells(sumKnown(counts), milliseconds)];
  const paint = paintOf(group.status, page);
  return [
    ...cells.map((text) => (group.status === 'skipped' ? { text, paint } : text)),
    { text: STATUS_TEXT[group.status], paint },
  ];
}

function countCells(counts: KnownCounts, milliseconds: number | null): readonly string[] {
  return [
    ...COUNT_NAMES.map((name) => formatCount(counts[name])),
    formatSeconds(milliseconds),
    formatCount(perSecond(counts.rowsRead, milliseconds)),
  ];
}

function paintOf(status: Status, { ink }: Page): (text: string) => string {
  switch (status) {
    case 'loaded':
      return ink.green;
    case 'skipped':
      return ink.dim;
    case 'failed':
      return ink.red;
    case 'not-loaded':
      return ink.yellow;
  }
}

const STATUS_TEXT: Readonly<Record<Status, string>> = {
  loaded: 'loaded',
  skipped: 'skipped',
  failed: 'failed',
  'not-loaded': 'not loaded',
};

/** `/data/exports/` of paths that all lie there: said once, by leaving it out of each name. */
function commonFolder(paths: readonly string[]): string {
  const [first = '', ...others] = paths;
  let folder = folderOf(first);
  for (const path of others) {
    while (!path.startsWith(folder)) folder = folderOf(folder.slice(0, -1));
  }
  return folder;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
