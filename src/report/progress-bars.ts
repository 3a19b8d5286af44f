// The package is CommonJS, and Node finds no named exports in it.
import cliProgress from 'cli-progress';
import type { Options, SingleBar } from 'cli-progress';
import { LIMITS } from '../limits.ts';
import { formatBytes, formatCount, formatCounted, formatDuration, perSecond } from './format.ts';
import { pageFor } from './page.ts';
import type { Page } from './page.ts';
import { progressShare, remainingMs } from './progress-state.ts';
import type { ActiveFile, ProgressState } from './progress-state.ts';
import { cutEnd, cutMiddle, padEnd, wrapText } from './text-width.ts';

export interface Terminal extends NodeJS.WritableStream {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

interface Bars {
  /** Makes room for the lines that the state needs; they are drawn on a timer. */
  refresh(): void;
  /** Shows lines above the bars, for good. */
  log(text: string, paint: (line: string) => string): void;
  /** Clears the bars and ends the timer, which would keep the process alive. */
  stop(): void;
}

/** Lines that the totals take, and the lines left free so that the bars never fill the screen. */
const TOTAL_LINES = 2;
const FREE_LINES = 3;

/**
 * Each bar of cli-progress is one line of the frame rather than one file: what it shows is computed
 * from the state whenever the frame is drawn. Creating and removing a bar per file would redraw the
 * screen twice for each of 10,000 small files.
 */
export function createBars(
  state: ProgressState,
  stream: Terminal,
  options: { readonly color: boolean; readonly width: number; readonly now: () => number },
): Bars {
  let frame: readonly string[] = [];
  const lines: SingleBar[] = [];
  const multi = new cliProgress.MultiBar({
    stream,
    fps: 1_000 / LIMITS.progressIntervalMs,
    format: () => '',
    clearOnComplete: true,
    hideCursor: true,
    // A logged line moves the others down, so a line must be drawn even where it did not change.
    forceRedraw: true,
  });
  const page = (): Page =>
    pageFor({ color: options.color, width: stream.columns ?? options.width });
  const filesMax = Math.max(
    1,
    Math.min(LIMITS.progressBarsMax, (stream.rows ?? 24) - TOTAL_LINES - FREE_LINES),
  );
  multi.on('redraw-pre', () => {
    frame = frameLines(state, filesMax, options.now(), page());
  });

  return {
    refresh: () => {
      const needed = TOTAL_LINES + Math.min(state.active.size, filesMax + 1);
      while (lines.length < needed) {
        const index = lines.length;
        lines.push(multi.create(1, 0, {}, { format: () => frame[index] ?? '' }));
      }
    },
    log: (text, paint) => {
      const width = page().width;
      // Erases the rest of the bar's line that the logged line is written over.
      for (const line of wrapText(text, width)) multi.log(`${paint(line)}\u001b[K\n`);
    },
    stop: () => {
      // Draws once more, so that lines logged since the last frame are not lost.
      if (lines.length > 0) multi.update();
      multi.stop();
    },
  };
}

/** The lines of one frame: two of totals, then one per active file. */
function frameLines(
  state: ProgressState,
  filesMax: number,
  nowMs: number,
  page: Page,
): readonly string[] {
  const files = visibleFiles([...state.active.values()], filesMax);
  const nameWidth = Math.floor(page.width * 0.24);
  const hidden = state.active.size - files.length;
  return [
    ...totalLines(state, nowMs, page),
    ...files.map((file) => fileLine(file, nowMs, nameWidth, page)),
    ...(hidden === 0 ? [] : [page.ink.dim(`  and ${formatCounted(hidden, 'file')} more`)]),
  ];
}

/** Files that only wait for the rest of their unit are the first to be hidden. */
function visibleFiles(files: readonly ActiveFile[], filesMax: number): readonly ActiveFile[] {
  if (files.length <= filesMax) return files;
  const busy = files.filter((file) => file.phase !== 'staged');
  const staged = files.filter((file) => file.phase === 'staged');
  return [...busy, ...staged].slice(0, filesMax);
}

function totalLines(state: ProgressState, nowMs: number, page: Page): readonly string[] {
  const elapsedMs = nowMs - state.startedAtMs;
  const share = progressShare(state);
  const remaining = remainingMs(state, nowMs);
  const first = [
    `${barText(share, page.width >= 100 ? 20 : 10)} ${percentText(share)}`,
    `${formatCount(state.filesFinished)} of ${formatCounted(state.filesTotal, 'file')}`,
    ...(state.filesFailed === 0 ? [] : [`${formatCount(state.filesFailed)} failed`]),
    ...(remaining === null || share === 1 ? [] : [`ETA ${formatDuration(remaining)}`]),
  ];
  const byteRate = perSecond(state.bytes, elapsedMs);
  const second = [
    `${formatCount(state.rows)} rows`,
    `${formatBytes(state.bytes)} of ${formatBytes(state.bytesTotal)}`,
    `${formatCount(perSecond(state.rows, elapsedMs))} rows/s`,
    ...(byteRate === null ? [] : [`${formatBytes(byteRate)}/s`]),
  ];
  return [
    page.ink.bold(cutEnd(first.join('  '), page.width)),
    cutEnd(second.join('  '), page.width),
  ];
}

function fileLine(file: ActiveFile, nowMs: number, nameWidth: number, page: Page): string {
  const share = file.bytesTotal === 0 ? 1 : Math.min(1, file.bytes / file.bytesTotal);
  const name = padEnd(cutMiddle(file.name, nameWidth), nameWidth);
  const tried = file.attempt > 1 ? `, try ${file.attempt}` : '';
  const rows = `${formatCount(file.rows)} rows`;
  // The phase first: what a narrow terminal cuts off is the pace.
  const told = [`${phaseText(file)}${tried}`, rows, ...paceOf(file, share, nowMs)].join('  ');
  const text = `  ${name} ${barText(share, 10)} ${percentText(share)}  ${told}`;
  const line = cutEnd(text, page.width);
  return file.phase === 'staged' || file.phase === 'waiting' ? page.ink.dim(line) : line;
}

/** Bytes, rate and time left of a file that is being read. */
function paceOf(file: ActiveFile, share: number, nowMs: number): string[] {
  const elapsedMs = nowMs - file.startedAtMs;
  if (file.phase !== 'staging' || file.bytes === 0 || elapsedMs <= 0) return [];
  const rate = perSecond(file.rows, elapsedMs);
  return [
    formatBytes(file.bytes),
    `${formatCount(rate)} rows/s`,
    ...(share === 1 ? [] : [`ETA ${formatDuration((elapsedMs * (1 - share)) / share)}`]),
  ];
}

function phaseText(file: ActiveFile): string {
  if (file.phase !== 'waiting' || file.waitsFor === null) return file.phase;
  return `waiting for ${cutMiddle(file.waitsFor, 24)}`;
}

function barText(share: number, size: number): string {
  const options: Options = {
    barsize: size,
    barGlue: '',
    barCompleteString: '█'.repeat(size),
    barIncompleteString: '░'.repeat(size),
  };
  return cliProgress.Format.BarFormat(share, options);
}

function percentText(share: number): string {
  // Rounded down: 100 % is said when nothing is left to do.
  return `${String(Math.floor(share * 100)).padStart(3)} %`;
}
