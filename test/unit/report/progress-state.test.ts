import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  progressShare,
  remainingMs,
  startProgress,
  trackProgress,
} from '../../../src/report/progress-state.ts';
import type { ProgressState } from '../../../src/report/progress-state.ts';
import type { RunEvent } from '../../../src/run/events.ts';
import { eventOfEachKind, filePlan, fileReport, loadPlan, noCounts, plan } from './fixtures.ts';

const BYTES = 1_000;
const files = [0, 1].map((ordinal) => filePlan(ordinal, { bytes: BYTES }));

function after(...events: readonly RunEvent[]): ProgressState {
  const state = startProgress(plan([loadPlan({ files })]), 0);
  for (const event of events) trackProgress(state, event);
  return state;
}

const at = { load: 0, file: 0 } as const;
const started: RunEvent = { kind: 'file-started', ...at, attempt: 1 };
const halfRead: RunEvent = { kind: 'file-progress', ...at, rows: 50, bytes: BYTES / 2 };
const staged: RunEvent = { kind: 'file-staged', ...at, rows: 100 };
const finished: RunEvent = {
  kind: 'file-finished',
  ...at,
  report: fileReport(0, { rowsRead: 100 }),
};

describe('what the events add up to', () => {
  test('files that are skipped are not waited for', () => {
    const state = startProgress(plan(), 0);
    expect(state.filesTotal).toBe(3);
    expect(state.bytesTotal).toBe(2 * 38_123_456 + 9_412_000);
  });

  test('a file counts half when it is read and whole when it is merged', () => {
    expect(progressShare(after(started))).toBe(0);
    expect(progressShare(after(started, halfRead))).toBe(0.125);
    expect(progressShare(after(started, halfRead, staged))).toBe(0.25);
    expect(progressShare(after(started, halfRead, staged, finished))).toBe(0.5);
  });

  test('a retry that reads again starts with nothing read, one that only merges again does not', () => {
    const retried: RunEvent = { ...eventOfEachKind()['unit-retried'], ...at };
    const merging = after(started, staged, { kind: 'file-merging', ...at }, retried);
    expect(merging).toMatchObject({ rows: 100, bytes: BYTES });
    expect([...merging.active.values()]).toMatchObject([{ phase: 'merging', attempt: 2 }]);
    const again = after(started, halfRead, retried, { ...started, attempt: 2 });
    expect(again).toMatchObject({ rows: 0, bytes: 0 });
    expect([...again.active.values()]).toMatchObject([{ phase: 'staging', attempt: 2, rows: 0 }]);
    expect(after(retried).active.size).toBe(0);
  });

  test('a file that failed leaves no rows, and nobody waits for it', () => {
    const failed: RunEvent = {
      kind: 'file-finished',
      ...at,
      report: fileReport(0, { ...noCounts, status: 'failed' }),
    };
    const state = after(started, halfRead, failed);
    expect(state).toMatchObject({ rows: 0, bytes: BYTES, filesFinished: 1, filesFailed: 1 });
    expect(state.active.size).toBe(0);
  });

  test('rows stay counted where the strategy does not attribute them', () => {
    const unknown: RunEvent = { kind: 'file-finished', ...at, report: fileReport(0, noCounts) };
    expect(after(started, staged, unknown).rows).toBe(100);
  });

  test('a waiting file says for whom', () => {
    const state = after({ kind: 'file-waiting', load: 0, file: 1, forFile: 0 });
    expect([...state.active.values()]).toMatchObject([
      { name: 'orders-2.csv', phase: 'waiting', waitsFor: 'orders-1.csv' },
    ]);
  });

  test('every kind of event is understood, in any order, and the sums stay within bounds', () => {
    const kinds = Object.values(eventOfEachKind());
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds), { maxLength: 30 }), (events) => {
        const once = events.filter(
          (event, index) => event.kind !== 'file-finished' || events.indexOf(event) === index,
        );
        const state = startProgress(plan(), 0);
        for (const event of once) trackProgress(state, event);
        const share = progressShare(state);
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
        expect(state.rows).toBeGreaterThanOrEqual(0);
        expect(state.bytes).toBeLessThanOrEqual(2 * state.bytesTotal);
        expect(state.active.size).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the time to go', () => {
  test('is what the pace so far says', () => {
    expect(remainingMs(after(started, halfRead, staged, finished), 4_000)).toBe(4_000);
    expect(remainingMs(after(started, halfRead, staged), 1_000)).toBe(3_000);
  });

  test('is not said before there is something to judge by', () => {
    expect(remainingMs(after(started), 10_000)).toBeNull();
    expect(remainingMs(after(started, staged), 400)).toBeNull();
  });

  test('a run of empty files goes by files', () => {
    const empty = startProgress(plan([loadPlan({ files: [filePlan(0, { bytes: 0 })] })]), 0);
    expect(progressShare(empty)).toBe(0);
    trackProgress(empty, finished);
    expect(progressShare(empty)).toBe(1);
    expect(progressShare(startProgress(plan([]), 0))).toBe(1);
  });
});
