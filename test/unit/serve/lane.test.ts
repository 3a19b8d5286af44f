import { expect, test } from 'vitest';
import { createConnections } from '../../../src/serve/connections.ts';
import { createLane, type Lane } from '../../../src/serve/lane.ts';
import { anUpload } from './uploads.ts';

/** A lane whose uploads come while it waits, as often as `arrivals` says how many. */
async function batchesOf(
  inside: number,
  arrivals: readonly number[],
): Promise<{ readonly batches: number[]; readonly sleeps: number }> {
  const stopper = new AbortController();
  const batches: number[] = [];
  const left = [...arrivals];
  let here = inside;
  let sleeps = 0;
  const lane: Lane = createLane({
    load: async (batch) => {
      batches.push(batch.length);
      here -= batch.length;
      for (const { file } of batch) {
        const counts = { rowsRead: 1, inserted: 1, updated: 0, unchanged: 0 };
        file.verdict = {
          ...{ status: 'loaded', run: 'r', rejects: null, error: null, batch: null },
          counts: { ...counts, superseded: 0, rejected: 0 },
        };
      }
      stopper.abort();
      return null;
    },
    workersFor: () => 1,
    inside: () => here,
    connections: createConnections(4),
    sleep: async () => {
      sleeps += 1;
      for (let more = left.shift() ?? 0; more > 0; more--) lane.add(anUpload('a'));
    },
    stop: stopper.signal,
  });
  lane.add(anUpload('a'));
  await lane.ended;
  return { batches, sleeps };
}

test('nobody is waited for where nobody else is on the way', async () => {
  expect(await batchesOf(1, [])).toEqual({ batches: [1], sleeps: 0 });
});

test('uploads that are being received are waited for, until all are there', async () => {
  expect(await batchesOf(6, [3, 2])).toEqual({ batches: [6], sleeps: 2 });
});

test('but no longer than they come, nor for ever', async () => {
  expect(await batchesOf(9, [2])).toEqual({ batches: [3], sleeps: 2 });
  expect(await batchesOf(99, [1, 1, 1, 1, 1, 1, 1, 1])).toEqual({ batches: [6], sleeps: 5 });
});
