import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchConnection, type ConnectionWatch } from '../../../src/target/watch-connection.ts';

/** A line whose bytes and whose other end a test moves by hand. */
const line = { bytes: 0, working: false, looks: 0, lost: 0 };
let watch: ConnectionWatch;

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(line, { bytes: 0, working: false, looks: 0, lost: 0 });
  watch = watchOf(100);
});
afterEach(() => vi.useRealTimers());

function watchOf(idleTimeoutMs: number): ConnectionWatch {
  return watchConnection({
    idleTimeoutMs,
    traffic: () => line.bytes,
    works: async () => {
      line.looks += 1;
      return line.working;
    },
    giveUp: () => (line.lost += 1),
  });
}

const never = (): Promise<never> => new Promise(() => undefined);

test('a line that owes nothing is never looked at', async () => {
  expect(await watch.owes(Promise.resolve('answer'))).toBe('answer');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(line).toMatchObject({ looks: 0, lost: 0 });
});

test('a silent line is given up at the second look in a row that finds nobody at work', async () => {
  void watch.owes(never());
  await vi.advanceTimersByTimeAsync(199);
  expect(line).toMatchObject({ looks: 1, lost: 0 });
  await vi.advanceTimersByTimeAsync(1);
  expect(line).toMatchObject({ looks: 2, lost: 1 });
});

test('a silent line whose other end works is kept, however long', async () => {
  line.working = true;
  void watch.owes(never());
  await vi.advanceTimersByTimeAsync(10_000);
  expect(line).toMatchObject({ looks: 100, lost: 0 });
});

test('bytes that move count as life, and start the looks anew', async () => {
  void watch.owes(never());
  await vi.advanceTimersByTimeAsync(100);
  line.bytes += 1;
  await vi.advanceTimersByTimeAsync(200);
  expect(line).toMatchObject({ looks: 2, lost: 0 });
  await vi.advanceTimersByTimeAsync(100);
  expect(line.lost).toBe(1);
});

test('an answer that fails is no longer owed; 0 never looks', async () => {
  await expect(watch.owes(Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  void watchOf(0).owes(never());
  await vi.advanceTimersByTimeAsync(10_000);
  expect(line).toMatchObject({ looks: 0, lost: 0 });
});
