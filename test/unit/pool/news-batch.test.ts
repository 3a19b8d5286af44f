import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { UnitNews } from '../../../src/load/unit-task.ts';
import { createNewsBatch } from '../../../src/pool/news-batch.ts';

function started(file: number): UnitNews {
  return { kind: 'file-started', file };
}

test('news of one turn are one message, and none of them waits for another turn', async () => {
  const posted: (readonly UnitNews[])[] = [];
  const batch = createNewsBatch((news) => posted.push(news));
  batch.add(started(1));
  await Promise.resolve();
  batch.add(started(2));
  expect(posted).toEqual([]);
  await turn();
  expect(posted).toEqual([[started(1), started(2)]]);
  batch.add(started(3));
  await turn();
  expect(posted).toHaveLength(2);
});

test('what is gathered goes before an answer, once', async () => {
  const posted: (readonly UnitNews[])[] = [];
  const batch = createNewsBatch((news) => posted.push(news));
  batch.add(started(1));
  batch.flush();
  expect(posted).toEqual([[started(1)]]);
  await turn();
  batch.flush();
  expect(posted).toHaveLength(1);
});
