import { unreachable } from '../assert.ts';
import type { Plan } from '../plan/plan-types.ts';
import type { RunEvent } from '../run/events.ts';
import type { FileReport } from '../run/report-types.ts';
import { safeText } from './safe-text.ts';

/**
 * What the events of a run add up to. A file becomes active when it starts, goes through staging,
 * staged, waiting and merging, and leaves when it is finished; one that starts again has read
 * nothing yet. Only active files are held, so 10,000 small files cost no more than a few.
 */
export interface ProgressState {
  readonly plan: Plan;
  readonly startedAtMs: number;
  /** In the order in which they started. */
  readonly active: Map<string, ActiveFile>;
  readonly filesTotal: number;
  readonly bytesTotal: number;
  filesFinished: number;
  filesFailed: number;
  /** Rows and bytes read, of finished and of active files. */
  rows: number;
  bytes: number;
  /** Bytes of files that are finished, whatever came of them. */
  bytesFinished: number;
}

export interface ActiveFile {
  readonly name: string;
  readonly bytesTotal: number;
  /** When reading it began, on the clock of the progress. */
  readonly startedAtMs: number;
  readonly phase: 'staging' | 'staged' | 'waiting' | 'merging';
  readonly attempt: number;
  readonly rows: number;
  readonly bytes: number;
  /** The earlier file that a waiting one waits for. */
  readonly waitsFor: string | null;
}

export function startProgress(plan: Plan, nowMs: number): ProgressState {
  const files = plan.loads.flatMap((load) => load.files).filter((file) => file.skip === null);
  return {
    plan,
    startedAtMs: nowMs,
    active: new Map(),
    filesTotal: files.length,
    bytesTotal: files.reduce((sum, file) => sum + file.bytes, 0),
    filesFinished: 0,
    filesFailed: 0,
    rows: 0,
    bytes: 0,
    bytesFinished: 0,
  };
}

/** Adds one event, which came at `nowMs`. */
export function trackProgress(
  state: ProgressState,
  event: RunEvent,
  nowMs: number = state.startedAtMs,
): void {
  switch (event.kind) {
    case 'file-started':
      setActive(state, event, {
        phase: 'staging',
        startedAtMs: nowMs,
        attempt: event.attempt,
        rows: 0,
        bytes: 0,
      });
      return;
    case 'file-progress':
      setActive(state, event, { phase: 'staging', rows: event.rows, bytes: event.bytes });
      return;
    case 'file-staged':
      setActive(state, event, {
        phase: 'staged',
        rows: event.rows,
        bytes: bytesOf(state, event),
      });
      return;
    case 'file-waiting':
      setActive(state, event, {
        phase: 'waiting',
        waitsFor: nameOf(state, { load: event.load, file: event.forFile }),
      });
      return;
    case 'file-merging':
      setActive(state, event, { phase: 'merging' });
      return;
    case 'unit-retried':
      // Whether the file is read again is said by a new start; a merge may be tried again alone.
      if (state.active.has(keyOf(event))) setActive(state, event, { attempt: event.attempt });
      return;
    case 'file-finished':
      finish(state, event, event.report);
      return;
    case 'run-started':
    case 'load-started':
    case 'table-created':
    case 'notice':
    case 'rows-created':
    case 'load-finished':
    case 'run-finished':
      return;
    default:
      return unreachable(event);
  }
}

/** From 0 to 1. Half of a file's share is reading it, half is merging it. */
export function progressShare(state: ProgressState): number {
  if (state.bytesTotal === 0)
    return state.filesTotal === 0 ? 1 : state.filesFinished / state.filesTotal;
  return Math.min(1, (state.bytes + state.bytesFinished) / (2 * state.bytesTotal));
}

/** Milliseconds to go at the pace so far; null while there is too little to judge by. */
export function remainingMs(state: ProgressState, nowMs: number): number | null {
  const share = progressShare(state);
  const elapsedMs = nowMs - state.startedAtMs;
  if (share < 0.01 || elapsedMs < 500) return null;
  return (elapsedMs * (1 - share)) / share;
}

interface FileKey {
  readonly load: number;
  readonly file: number;
}

function keyOf(at: FileKey): string {
  return `${at.load}:${at.file}`;
}

function setActive(state: ProgressState, at: FileKey, change: Partial<ActiveFile>): void {
  const key = keyOf(at);
  const before = state.active.get(key) ?? {
    name: nameOf(state, at),
    bytesTotal: bytesOf(state, at),
    startedAtMs: state.startedAtMs,
    phase: 'staging',
    attempt: 1,
    rows: 0,
    bytes: 0,
    waitsFor: null,
  };
  const after: ActiveFile = { ...before, ...change };
  state.active.set(key, after);
  state.rows += after.rows - before.rows;
  state.bytes += after.bytes - before.bytes;
}

function finish(state: ProgressState, at: FileKey, report: FileReport): void {
  const key = keyOf(at);
  const before = state.active.get(key);
  state.active.delete(key);
  if (report.status === 'skipped') return;
  const bytes = bytesOf(state, at);
  // A file that failed was rolled back: its rows do not count, but nobody waits for it any more.
  const rows = report.status === 'loaded' ? (report.rowsRead ?? before?.rows ?? 0) : 0;
  state.rows += rows - (before?.rows ?? 0);
  state.bytes += bytes - (before?.bytes ?? 0);
  state.bytesFinished += bytes;
  state.filesFinished += 1;
  if (report.status === 'failed') state.filesFailed += 1;
}

/** The name of a file of the plan, safe to print. */
export function nameOf(state: ProgressState, at: FileKey): string {
  return safeText(state.plan.loads[at.load]?.files[at.file]?.name ?? `file ${at.file + 1}`);
}

function bytesOf(state: ProgressState, at: FileKey): number {
  return state.plan.loads[at.load]?.files[at.file]?.bytes ?? 0;
}
