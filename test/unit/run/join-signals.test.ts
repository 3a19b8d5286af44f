import { getEventListeners } from 'node:events';
import { types } from 'node:util';
import { expect, test } from 'vitest';
import { joinSignals } from '../../../src/run/join-signals.ts';

test('it is aborted with the first of them, by its reason', () => {
  for (const index of [0, 1]) {
    const sources = [new AbortController(), new AbortController()];
    const { signal, release } = joinSignals(...sources.map((one) => one.signal));
    expect(signal.aborted).toBe(false);
    const reason = new Error(`by ${index}`);
    sources[index]?.abort(reason);
    sources[1 - index]?.abort(new Error('too late'));
    expect([signal.aborted, signal.reason]).toEqual([true, reason]);
    release();
  }
  const { signal } = joinSignals(new AbortController().signal, AbortSignal.abort('before'));
  expect([signal.aborted, signal.reason]).toEqual([true, 'before']);
});

test('once it is released nothing of it is left in them', () => {
  const source = new AbortController();
  for (let run = 0; run < 20; run++) {
    const { signal, release } = joinSignals(source.signal, new AbortController().signal);
    expect(getEventListeners(source.signal, 'abort')).toHaveLength(1);
    release();
    expect(getEventListeners(source.signal, 'abort')).toHaveLength(0);
    source.signal.throwIfAborted();
    expect(signal.aborted).toBe(false);
  }
  // AbortSignal.any leaves a set of all that were made of it behind.
  const left = Object.getOwnPropertySymbols(source.signal).map(
    (key) => (source.signal as unknown as Record<symbol, unknown>)[key],
  );
  expect(left.filter((value) => types.isSet(value))).toEqual([]);
  const { signal, release } = joinSignals(source.signal);
  release();
  source.abort();
  expect(signal.aborted).toBe(false);
});
