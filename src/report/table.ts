import CliTable from 'cli-table3';
import type { Page } from './page.ts';
import { cutMiddle, displayWidth, wrapText } from './text-width.ts';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** `cut`: shortened in the middle where the table is too wide; `wrap`: broken into lines. */
  readonly fit?: 'cut' | 'wrap';
  /** Left out where the table is too wide all the same; the highest rank (from 1) goes first. */
  readonly dropRank?: number;
  /** Not worth a word where it is left out: it would say nothing. */
  readonly quiet?: boolean;
}

/** Plain text (safe, without colours), painted only after it has been cut to its width. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

interface TableOptions {
  readonly page: Page;
  /** Spaces before each line. */
  readonly indent: number;
  /** How many of the last rows stand below a line of their own: totals. */
  readonly footerRows?: number;
}

const GAP = '  ';
const CUT_WIDTH_MIN = 16;
const WRAP_WIDTH_MIN = 24;

/** A table without frames: a header, a thin line, rows. Lines do not end in spaces. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string {
  const { kept, widths } = fitColumns(columns, rows, options.page.width - options.indent);
  const { dim } = options.page.ink;
  const headed = (index: number, text: string): string =>
    columns[index]?.title === '' ? '' : dim(text);
  const rule = kept.map((index) => headed(index, '─'.repeat(widths[index] ?? 0)));
  const body = rows.map((row) => kept.map((index) => cellText(index, row[index] ?? '')));
  const bodyEnd = rows.length - (options.footerRows ?? 0);
  const footer = body.slice(bodyEnd);
  const titles = kept.map((index) => headed(index, columns[index]?.title ?? ''));

  const all = [titles, rule, ...body.slice(0, bodyEnd)];
  if (footer.length > 0) all.push(rule, ...footer);

  const margin = ' '.repeat(options.indent);
  const colAligns = kept.map((index) => columns[index]?.align ?? 'left');
  const lines = stretches(all, { colAligns, colWidths: kept.map((index) => widths[index] ?? 0) })
    .flatMap((stretch) => stretch.split('\n'))
    .map((line) => margin + line.trimEnd());
  const dropped = columns.filter((column, index) => !kept.includes(index) && column.quiet !== true);
  if (dropped.length > 0) {
    const names = dropped.map((column) => column.title).join(', ');
    lines.push(margin + dim(`(too narrow to show ${names})`));
  }
  return lines.join('\n');

  function cellText(index: number, cell: Cell): string {
    const text = typeof cell === 'string' ? cell : cell.text;
    const paint = typeof cell === 'string' ? String : cell.paint;
    const width = widths[index] ?? 0;
    const lines = columns[index]?.fit === 'wrap' ? wrapText(text, width) : [cutMiddle(text, width)];
    return lines.map((line) => (line === '' ? '' : paint(line))).join('\n');
  }
}

/**
 * A table takes the square of its rows: `etl history` of 5,000 files took 7.8 s of CPU, and takes 2.5 in stretches
 * of as many rows as this. They line up by the widths that all of them are given.
 */
const STRETCH_ROWS = 200;

function stretches(
  rows: readonly string[][],
  { colAligns, colWidths }: { colAligns: Column['align'][]; colWidths: number[] },
): string[] {
  const texts: string[] = [];
  for (let from = 0; from < rows.length; from += STRETCH_ROWS) {
    const table = new CliTable({
      chars: FRAMELESS,
      style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
      colAligns,
      ...(rows.length > STRETCH_ROWS ? { colWidths } : {}),
    });
    table.push(...rows.slice(from, from + STRETCH_ROWS));
    texts.push(table.toString());
  }
  return texts;
}

/** Shortens what may be shortened, then leaves columns out, until the table fits or cannot. */
function fitColumns(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  available: number,
): { readonly kept: readonly number[]; readonly widths: readonly number[] } {
  const natural = columns.map((column, index) =>
    rows.reduce(
      (width, row) => Math.max(width, displayWidth(plainText(row[index] ?? ''))),
      displayWidth(column.title),
    ),
  );
  let widths: readonly number[] = natural;
  let kept = columns.map((_, index) => index);
  const excess = (): number =>
    kept.reduce((sum, index) => sum + (widths[index] ?? 0) + GAP.length, -GAP.length) - available;

  for (;;) {
    widths = shrunk();
    if (excess() <= 0) break;
    const rank = Math.max(0, ...kept.map((index) => columns[index]?.dropRank ?? 0));
    if (rank === 0) break;
    kept = kept.filter((index) => columns[index]?.dropRank !== rank);
  }
  return { kept, widths };

  /** Takes from the widest column first, so that the names of a pair are cut alike. */
  function shrunk(): readonly number[] {
    widths = natural;
    while (excess() > 0) {
      const [widest] = kept
        .filter((index) => (widths[index] ?? 0) > leastWidth(columns[index]?.fit))
        .sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
      if (widest === undefined) break;
      widths = widths.with(widest, (widths[widest] ?? 0) - 1);
    }
    return widths;
  }
}

function leastWidth(fit: Column['fit']): number {
  return fit === undefined ? Infinity : fit === 'cut' ? CUT_WIDTH_MIN : WRAP_WIDTH_MIN;
}

function plainText(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

const FRAMELESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
};
