import { unreachable } from '../assert.ts';
import { LIMITS } from '../limits.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { RunEvent } from '../run/events.ts';
import type { FileReport } from '../run/report-types.ts';
import { errorLine } from './error-text.ts';
import { countsSentence, workMs } from './file-counts.ts';
import { formatBytes, formatCount, formatCounted, formatDuration, perSecond } from './format.ts';
import { nameOf, remainingMs } from './progress-state.ts';
import type { ProgressState } from './progress-state.ts';
import { safeText } from './safe-text.ts';

/**
 * One plain line about an event. Warnings and failures are shown above the bars, too, where the
 * plain ones would only repeat what the bars show.
 */
export interface EventLine {
  readonly text: string;
  readonly tone: 'plain' | 'warning' | 'failure';
  /** About one file that loaded well: where files are many, such lines stop. */
  readonly routine: boolean;
}

/** What an event is worth saying, or null. */
export function eventLine(state: ProgressState, event: RunEvent): EventLine | null {
  switch (event.kind) {
    case 'load-started':
      return { text: startLine(event.plan), tone: 'plain', routine: false };
    case 'table-created':
      return { text: `created ${tableOf(state, event.load)}`, tone: 'plain', routine: false };
    case 'rows-created': {
      const rows = formatCounted(event.rows, 'row');
      const text = `${rows} created in ${safeText(event.table)}`;
      return { text, tone: 'plain', routine: true };
    }
    case 'notice':
      return { text: `note: ${safeText(event.sentence)}`, tone: 'warning', routine: false };
    case 'unit-retried':
      return { text: retryLine(state, event), tone: 'warning', routine: false };
    case 'file-finished':
      return finishLine(nameOf(state, event), event.report);
    case 'run-started':
    case 'file-started':
    case 'file-progress':
    case 'file-staged':
    case 'file-waiting':
    case 'file-merging':
    case 'load-finished':
    case 'run-finished':
      return null;
    default:
      return unreachable(event);
  }
}

/** Writes each line as it comes, and the totals now and then. */
export function lineWriter(
  state: ProgressState,
  write: (line: EventLine) => void,
): (event: RunEvent, nowMs: number) => void {
  let lastTotalMs = state.startedAtMs;
  let routineLines = 0;
  return (event, nowMs) => {
    const line = eventLine(state, event);
    if (line?.routine === true) routineLines += 1;
    if (line !== null && (!line.routine || routineLines <= LIMITS.progressFileLinesMax))
      write(line);
    const due = nowMs - lastTotalMs >= LIMITS.progressTotalIntervalMs;
    if (!due || event.kind === 'run-finished' || state.filesFinished === state.filesTotal) return;
    lastTotalMs = nowMs;
    write({ text: totalLine(state, nowMs), tone: 'plain', routine: false });
  };
}

function startLine(load: LoadPlan): string {
  const files = load.files.filter((file) => file.skip === null);
  const skipped = load.files.length - files.length;
  const bytes = formatBytes(files.reduce((sum, file) => sum + file.bytes, 0));
  const before = skipped === 0 ? '' : `, ${formatCount(skipped)} loaded before`;
  const workers = formatCounted(load.concurrency, 'worker');
  const input = `${formatCounted(files.length, 'file')}, ${bytes}${before}`;
  return `loading ${safeText(load.table.sqlName)}: ${input}, ${load.strategy}, ${workers}`;
}

function tableOf(state: ProgressState, load: number): string {
  return safeText(state.plan.loads[load]?.table.sqlName ?? `table of load ${load + 1}`);
}

function retryLine(
  state: ProgressState,
  event: Extract<RunEvent, { readonly kind: 'unit-retried' }>,
): string {
  const wait = formatDuration(event.delayMs);
  const why = errorLine(event.error);
  return `trying ${nameOf(state, event)} again in ${wait} (try ${event.attempt}): ${why}`;
}

function finishLine(name: string, report: FileReport): EventLine | null {
  switch (report.status) {
    case 'loaded': {
      // One of very many, and one row: the totals say more.
      if (report.format === 'document' && report.rejected === 0) return null;
      const milliseconds = workMs(report);
      const took = milliseconds === null ? '' : ` in ${formatDuration(milliseconds)}`;
      const counts = countsSentence(report);
      const text = `loaded ${name}${counts === '' ? '' : `: ${counts}`}${took}`;
      const rejected = report.rejected !== null && report.rejected > 0;
      return { text, tone: rejected ? 'warning' : 'plain', routine: !rejected };
    }
    case 'failed': {
      const why = report.error === null ? '' : errorLine(report.error);
      // Most errors begin with the file's name.
      const text = why.startsWith(name) ? why : why === '' ? name : `${name}: ${why}`;
      return { text: `failed ${text}`, tone: 'failure', routine: false };
    }
    // Said by the line that starts the load, and by the line of the error that came first.
    case 'skipped':
    case 'not-loaded':
      return null;
  }
}

function totalLine(state: ProgressState, nowMs: number): string {
  const elapsedMs = nowMs - state.startedAtMs;
  const remaining = remainingMs(state, nowMs);
  return [
    `${formatCount(state.filesFinished)} of ${formatCounted(state.filesTotal, 'file')}`,
    `${formatCount(state.rows)} rows`,
    `${formatBytes(state.bytes)} of ${formatBytes(state.bytesTotal)}`,
    `${formatCount(perSecond(state.rows, elapsedMs))} rows/s`,
    ...(remaining === null ? [] : [`about ${formatDuration(remaining)} left`]),
  ].join(', ');
}
