import { LIMITS } from '../limits.ts';
import type { FilePlan, LoadPlan } from '../plan/plan-types.ts';
import { formatBytes, formatCount, formatCounted, NOTHING } from './format.ts';
import { moreLines, paragraph } from './page.ts';
import type { Page } from './page.ts';
import { safeText } from './safe-text.ts';
import { renderTable } from './table.ts';
import type { Cell, Column } from './table.ts';
import { cutMiddle } from './text-width.ts';

const KEY_WIDTH_MAX = 24;

const COLUMNS: readonly Column[] = [
  { title: '#', align: 'right' },
  { title: 'file', align: 'left', fit: 'cut' },
  { title: 'format', align: 'left', dropRank: 2 },
  { title: 'size', align: 'right', dropRank: 3 },
  { title: 'rows', align: 'right' },
  { title: 'lowest key', align: 'right', fit: 'cut', dropRank: 1 },
  { title: 'highest key', align: 'right', fit: 'cut', dropRank: 1 },
];

/**
 * Name, format, size, rows and keys of each file; `~` marks what the sample estimates. Files that
 * an earlier run loaded are marked, and below the table stands which run it was.
 */
export function fileLines(load: LoadPlan, page: Page): readonly string[] {
  const skipped = load.files.filter((file) => file.skip !== null);
  const columns: readonly Column[] =
    skipped.length === 0 ? COLUMNS : [...COLUMNS, { title: 'note', align: 'left' }];
  const shownMax = LIMITS.planFilesShownMax;
  const rows = load.files.slice(0, shownMax).map((file) => fileRow(file, page));
  return [
    renderTable(columns, rows, { page, indent: 4 }),
    ...moreLines(load.files.length, shownMax, page),
    ...splitLines(load, page),
    ...skippedLines(skipped, page),
  ];
}

function fileRow(file: FilePlan, page: Page): readonly Cell[] {
  const paint = file.skip === null ? String : page.ink.dim;
  return [
    formatCount(file.ordinal + 1),
    safeText(file.name),
    formatText(file),
    formatBytes(file.bytes),
    `${file.rowsExact ? '' : '~'}${formatCount(file.estimatedRows)}`,
    keyText(file.keyMin),
    keyText(file.keyMax),
    file.skip === null ? '' : 'skipped',
  ].map((text) => ({ text, paint }));
}

/** One line per file that several workers load in parts. */
function splitLines(load: LoadPlan, page: Page): readonly string[] {
  const split = load.units.flatMap(({ files: [file = 0], part }) =>
    part?.index === 0 ? [{ file, parts: part.of }] : [],
  );
  const lines = split.slice(0, LIMITS.planFilesShownMax).map(({ file, parts }) => {
    const text = `Split: ${fileLabel(load, file)} into ${formatCount(parts)} parts.`;
    return paragraph(text, 4, page);
  });
  return [...lines, ...moreLines(split.length, LIMITS.planFilesShownMax, page)];
}

/** One line per earlier run: `Skipped: 12 files that run 3f2a loaded (2025-03-01 02:14).` */
function skippedLines(skipped: readonly FilePlan[], page: Page): readonly string[] {
  const runs = new Map<string, { readonly loadedAt: string; files: number }>();
  for (const { skip } of skipped) {
    if (skip === null) continue;
    const run = runs.get(skip.runId) ?? { loadedAt: skip.loadedAt, files: 0 };
    run.files += 1;
    runs.set(skip.runId, run);
  }
  const lines = [...runs].slice(0, LIMITS.planRunsShownMax).map(([runId, run]) => {
    const files = formatCounted(run.files, 'file');
    // Minutes are enough to find the run again.
    const when = run.loadedAt.slice(0, 16).replace('T', ' ');
    return paragraph(safeText(`Skipped: ${files} that run ${runId} loaded (${when}).`), 4, page);
  });
  return [...lines, ...moreLines(runs.size, LIMITS.planRunsShownMax, page)];
}

function formatText(file: FilePlan): string {
  return file.compression === 'none' ? file.format : `${file.format}, ${file.compression}`;
}

function keyText(key: string | null): string {
  return key === null ? NOTHING : cutMiddle(safeText(key), KEY_WIDTH_MAX);
}

/** How a file is called where it stands in a sentence; `ordinal` is its index in the load. */
export function fileLabel(load: LoadPlan, ordinal: number): string {
  return cutMiddle(safeText(load.files[ordinal]?.name ?? `file ${ordinal + 1}`), 40);
}
