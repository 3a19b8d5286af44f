import { LIMITS } from '../src/limits.ts';
import type { RunEvent } from '../src/run/events.ts';
import type { TimelineSpan } from './results.ts';

/** Waits below this are only the way of a message between threads. */
const WAIT_MS_MIN = 1;

export interface Timeline {
  /** `atMs`: since the start of the run. */
  on(event: RunEvent, atMs: number): void;
  readonly spans: readonly TimelineSpan[];
}

/** What a run's files went through, from its events. Beyond a limit files are left out. */
export function createTimeline(nameOf: (load: number, file: number) => string): Timeline {
  const spans: TimelineSpan[] = [];
  const since = new Map<string, { readonly phase: TimelineSpan['phase']; readonly ms: number }>();
  const enter = (event: FileEvent, phase: TimelineSpan['phase'] | null, atMs: number): void => {
    const file = nameOf(event.load, event.file);
    const before = since.get(file);
    const worthwhile = before?.phase !== 'wait' || atMs - before.ms >= WAIT_MS_MIN;
    if (before !== undefined && worthwhile && spans.length < LIMITS.benchmarkSpansMax) {
      spans.push({ file, phase: before.phase, fromMs: round(before.ms), toMs: round(atMs) });
    }
    if (phase === null) since.delete(file);
    else since.set(file, { phase, ms: atMs });
  };
  return {
    spans,
    on: (event, atMs) => {
      switch (event.kind) {
        case 'file-started':
          enter(event, 'stage', atMs);
          break;
        case 'file-staged':
          enter(event, 'wait', atMs);
          break;
        case 'file-merging':
          enter(event, 'merge', atMs);
          break;
        case 'file-finished':
          enter(event, null, atMs);
          break;
        default:
          break;
      }
    },
  };
}

interface FileEvent {
  readonly load: number;
  readonly file: number;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
