import { expect, test } from 'vitest';
import { createConnections } from '../../../src/serve/connections.ts';
import { createLane, type Lane } from '../../../src/serve/lane.ts';
import type { UploadFile } from '../../../src/serve/upload.ts';
import { anUpload } from './uploads.ts';

const LOADED: UploadFile['verdict'] = {
  ...{ status: 'loaded', run: 'r', rejects: null, error: null, batch: null },
  counts: { rowsRead: 1, inserted: 1, updated: 0, unchanged: 0, superseded: 0, rejected: 0 },
};

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
      for (const { file } of batch) file.verdict = LOADED;
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

test('files that have no verdict yet keep their place before what came meanwhile', async () => {
  const stopper = new AbortController();
  const runs: string[][] = [];
  const [first, second, third] = [anUpload('a'), anUpload('a'), anUpload('a')];
  const lane: Lane = createLane({
    load: async (batch) => {
      runs.push(batch.map(({ upload }) => upload.id));
      if (runs.length === 1) lane.add(third);
      else stopper.abort();
      for (const { file } of runs.length === 1 ? batch.slice(0, 1) : batch) file.verdict = LOADED;
      return null;
    },
    workersFor: () => 1,
    inside: () => 0,
    connections: createConnections(4),
    sleep: async () => undefined,
    stop: stopper.signal,
  });
  lane.add(first);
  lane.add(second);
  await lane.ended;
  expect(runs).toEqual([
    [first.id, second.id],
    [second.id, third.id],
  ]);
});
