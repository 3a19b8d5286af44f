import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import type { Plan } from '../../../src/plan/plan-types.ts';
import { createProgress } from '../../../src/report/progress.ts';
import type { Progress, ProgressOptions } from '../../../src/report/progress.ts';
import type { RunEvent } from '../../../src/run/events.ts';
import { FakeTerminal } from './fake-terminal.ts';
import {
  eventOfEachKind,
  filePlan,
  fileReport,
  loadPlan,
  noCounts,
  plan,
  report,
  rowError,
} from './fixtures.ts';

interface Shown {
  readonly progress: Progress;
  readonly stream: FakeTerminal;
  /** Sets the clock, then sends the events. */
  readonly at: (milliseconds: number, ...events: readonly RunEvent[]) => void;
}

function show(mode: ProgressOptions['mode'], of: Plan = plan()): Shown {
  let clock = 0;
  const stream = new FakeTerminal();
  const options = { stream, mode, now: () => clock, color: false, width: 100 } as const;
  const progress = createProgress(of, options);
  const at = (milliseconds: number, ...events: readonly RunEvent[]): void => {
    clock = milliseconds;
    for (const event of events) progress.on(event);
  };
  return { progress, stream, at };
}

const started = (file: number): RunEvent => ({ kind: 'file-started', load: 0, file, attempt: 1 });
const read = (file: number, rows: number, bytes: number): RunEvent => ({
  kind: 'file-progress',
  load: 0,
  file,
  rows,
  bytes,
});
const staged = (file: number, rows: number): RunEvent => ({
  kind: 'file-staged',
  load: 0,
  file,
  rows,
});
const finished = (file: number, change = {}): RunEvent => ({
  kind: 'file-finished',
  load: 0,
  file,
  report: fileReport(file, change),
});
const ofKind = eventOfEachKind();
const manySmall = (count: number): Plan =>
  plan([
    loadPlan({
      files: Array.from({ length: count }, (_, index) =>
        filePlan(index, { name: `part-${index}.csv`, bytes: 100 }),
      ),
    }),
  ]);

describe('plain lines', () => {
  test('tell what happens, and the totals every five seconds', () => {
    const { stream, at, progress } = show('lines');
    at(0, ofKind['run-started'], ofKind['load-started'], ofKind['table-created']);
    at(1_000, started(0), started(1), read(0, 250_000, 19_061_728));
    at(4_999, read(1, 250_000, 19_061_728));
    at(5_000, read(1, 260_000, 19_861_728));
    at(5_100, staged(0, 500_000), ofKind['unit-retried'], ofKind.notice);
    at(6_000, finished(0));
    at(10_100, finished(1, { rejected: 3, updated: 0, unchanged: 0, superseded: 0 }));
    at(11_000, finished(2, { ...noCounts, status: 'failed', error: rowError }));
    at(17_000, ofKind['load-finished'], ofKind['run-finished']);
    progress.stop();
    expect(`\n${stream.text}`).toMatchInlineSnapshot(`
      "
      loading app.orders: 3 files, 85.7 MB, 1 loaded before, hybrid, 3 workers
      created app.orders
      0 of 3 files, 510,000 rows, 38.9 MB of 85.7 MB, 102,000 rows/s, about 17.0 s left
      trying orders-2.csv again in 0.1 s (try 2): deadlock detected. It is tried again. [ETL_SERVER]
      note: The table was emptied since its last load.
      loaded orders-1.csv: 500,000 rows read, 400,000 inserted, 90,000 updated, 9,998 unchanged, 2 superseded in 3.4 s
      loaded orders-2.csv: 500,000 rows read, 400,000 inserted, 3 rejected in 3.4 s
      2 of 3 files, 1,000,000 rows, 76.2 MB of 85.7 MB, 99,010 rows/s, about 1.2 s left
      failed orders-3.parquet: /data/exports/orders-3.csv line 105, column "total": "12,50" is not a number (numeric). Set decimalSeparator to "," or load the column as text. [ETL_ROW_INVALID]
      "
    `);
  });

  test('understand every kind of event', () => {
    const { stream, at } = show('lines');
    at(0, ...Object.values(ofKind));
    expect(stream.text.split('\n').length).toBeGreaterThan(4);
    expect(stream.text).not.toContain('undefined');
  });

  test('stop naming files that load well after a thousand of them, but never failures', () => {
    const { stream, at } = show('lines', manySmall(1_200));
    for (let file = 0; file < 1_199; file += 1) at(0, started(file), finished(file));
    at(0, finished(1_199, { ...noCounts, status: 'failed', error: rowError }));
    const lines = stream.text.split('\n');
    expect(lines.filter((line) => line.startsWith('loaded '))).toHaveLength(
      LIMITS.progressFileLinesMax,
    );
    expect(lines.filter((line) => line.startsWith('failed part-1199.csv: '))).toHaveLength(1);
  });

  test('neutralise escape sequences in names and errors', () => {
    const evil = plan([loadPlan({ files: [filePlan(0, { name: 'a\u001b[2J\n.csv' })] })]);
    const { stream, at } = show('lines', evil);
    const error = { ...rowError, sentence: 'bad \u001b[31m value' };
    at(0, finished(0, { ...noCounts, status: 'failed', error }));
    expect(stream.text).toContain('failed a\\x1b[2J\\x0a.csv: ');
    expect(stream.text.slice(0, -1)).not.toMatch(/\p{Cc}/u);
  });
});

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

describe('bars', () => {
  beforeEach(() => {
    // Only what draws: the promises of vitest itself need their timers.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** What the terminal shows after the next frame. */
  function frame(stream: FakeTerminal): readonly string[] {
    vi.advanceTimersByTime(LIMITS.progressIntervalMs + 1);
    return stream.screen();
  }

  test('show the totals and one line per active file', () => {
    const { progress, stream, at } = show('bars');
    at(0, ofKind['run-started'], started(0), started(1), started(2));
    at(
      2_000,
      staged(0, 500_000),
      { kind: 'file-merging', load: 0, file: 0 },
      staged(1, 500_000),
      { kind: 'file-waiting', load: 0, file: 1, forFile: 0 },
      read(2, 250_000, 4_706_000),
    );
    const lines = frame(stream);
    progress.stop();
    expect(`\n${lines.join('\n')}`).toMatchInlineSnapshot(`
      "
      █████████░░░░░░░░░░░  47 %  0 of 3 files  ETA 2.2 s
      1,250,000 rows  81.0 MB of 85.7 MB  625,000 rows/s  40.5 MB/s
        orders-1.csv             ██████████ 100 %  merging  500,000 rows
        orders-2.csv             ██████████ 100 %  waiting for orders-1.csv  500,000 rows
        orders-3.parquet         █████░░░░░  50 %  staging  250,000 rows  4.7 MB  125,000 rows/s  ETA 2.0…"
    `);
  });

  test('leave the screen to the summary, and end their timer', () => {
    const { progress, stream, at } = show('bars');
    at(0, started(0));
    vi.advanceTimersByTime(1_000);
    progress.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(stream.screen()).toEqual(['']);
    expect(stream.text.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(
      stream.text.lastIndexOf(HIDE_CURSOR),
    );
    expect(stream.text).toContain(HIDE_CURSOR);
    const { length } = stream.text;
    progress.stop();
    at(1, started(1));
    expect(stream.text).toHaveLength(length);
  });

  test('end with the run', () => {
    const { at } = show('bars');
    at(0, started(0), { kind: 'run-finished', report: report() });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a run that never began may be stopped', () => {
    const { progress } = show('bars');
    progress.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('keep failures, retries and notices above the bars, even the last of them', () => {
    const { progress, stream, at } = show('bars');
    at(0, started(0), started(2), ofKind['unit-retried'], finished(1), ofKind['table-created']);
    frame(stream);
    at(0, ofKind.notice, ofKind.notice, ofKind.notice);
    const lines = frame(stream);
    expect(`\n${lines.join('\n')}`).toMatchInlineSnapshot(`
      "
      trying orders-2.csv again in 0.1 s (try 2): deadlock detected. It is tried again. [ETL_SERVER]
      note: The table was emptied since its last load.
      note: The table was emptied since its last load.
      note: The table was emptied since its last load.
      █████████░░░░░░░░░░░  44 %  1 of 3 files
      500,000 rows  38.1 MB of 85.7 MB  – rows/s
        orders-1.csv             ░░░░░░░░░░   0 %  staging  0 rows
        orders-3.parquet         ░░░░░░░░░░   0 %  staging  0 rows"
    `);
    at(0, finished(0, { ...noCounts, status: 'failed', error: rowError }));
    progress.stop();
    expect(stream.screen()).toEqual([
      ...lines.slice(0, 4),
      'failed orders-1.csv: /data/exports/orders-3.csv line 105, column "total": "12,50" is not a number',
      '(numeric). Set decimalSeparator to "," or load the column as text. [ETL_ROW_INVALID]',
      '',
    ]);
  });

  test('show 12 of many active files, those first that do something', () => {
    const { progress, stream, at } = show('bars', manySmall(10_000));
    for (let file = 0; file < 40; file += 1) at(0, started(file));
    for (let file = 0; file < 20; file += 1) at(0, staged(file, 10));
    const lines = frame(stream);
    progress.stop();
    const named = lines.filter((line) => line.includes('part-'));
    expect(named).toHaveLength(LIMITS.progressBarsMax);
    expect(named[0]).toContain('part-20.csv');
    expect(lines.at(-1)).toBe('  and 28 files more');
  });

  test('go on with lines that were used by files that are finished', () => {
    const { progress, stream, at } = show('bars', manySmall(10_000));
    for (let file = 0; file < 5_000; file += 1) at(file, started(file), finished(file));
    at(5_000, started(5_000));
    const lines = frame(stream);
    progress.stop();
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('5,000 of 10,000 files');
    expect(lines[2]).toContain('part-5000.csv');
  });

  test('cut long names to the terminal, neutralise escape sequences, and bear wide characters', () => {
    const names = [`${'very-long-'.repeat(20)}end.csv`, 'a\u001b[2Jb.csv', '売上データ.csv'];
    const { progress, stream, at } = show(
      'bars',
      plan([loadPlan({ files: names.map((name, index) => filePlan(index, { name })) })]),
    );
    at(0, ...names.map((_, index) => started(index)));
    const lines = frame(stream);
    progress.stop();
    expect(`\n${lines.join('\n')}`).toMatchInlineSnapshot(`
      "
      ░░░░░░░░░░░░░░░░░░░░   0 %  0 of 3 files
      0 rows  0 bytes of 114.4 MB  – rows/s
        very-long…y-long-end.csv ░░░░░░░░░░   0 %  staging  0 rows
        a\\x1b[2Jb.csv            ░░░░░░░░░░   0 %  staging  0 rows
        売上データ.csv           ░░░░░░░░░░   0 %  staging  0 rows"
    `);
  });

  test('understand every kind of event', () => {
    const { progress, stream, at } = show('bars');
    at(0, ...Object.values(ofKind));
    progress.stop();
    expect(stream.text).not.toContain('undefined');
  });
});

test('none shows nothing', () => {
  const { progress, stream, at } = show('none');
  at(0, ...Object.values(ofKind));
  progress.stop();
  expect(stream.text).toBe('');
});
