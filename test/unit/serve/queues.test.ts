import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createConnections } from '../../../src/serve/connections.ts';
import { createGate } from '../../../src/serve/gate.ts';
import { Refusal } from '../../../src/serve/refusal.ts';
import { groupByTables } from '../../../src/serve/shared-tables.ts';
import { createSpoolRoom } from '../../../src/serve/spool-room.ts';
import { takeBatch, type QueuedFile } from '../../../src/serve/take-batch.ts';
import { createThroughput } from '../../../src/serve/throughput.ts';
import { anUpload } from './uploads.ts';

describe('a batch', () => {
  const queued = (job: string, layout: string, bytes: number, alone = false): QueuedFile => {
    const upload = anUpload(job, [{ layout, bytes }], alone);
    const [file] = upload.files;
    if (file === undefined) throw new Error('an upload has a file');
    return { upload, file };
  };

  test('is the neighbours of one job and one layout, at least one, within its limits', () => {
    const item = fc.record({
      // Most go together, or no batch would come to its limits.
      job: fc.constantFrom('a', 'a', 'a', 'a', 'a', 'a', 'a', 'b'),
      layout: fc.constantFrom('x', 'x', 'x', 'x', 'x', 'x', 'x', 'y'),
      bytes: fc.nat(10),
      alone: fc.constantFrom(false, false, false, false, false, false, false, true),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 20 }), (items) => {
        const queue = items.map(({ job, layout, bytes, alone }) =>
          queued(job, layout, bytes, alone),
        );
        const limits = { filesMax: 5, bytesMax: 20 };
        const count = takeBatch(queue, limits);
        const [taken, next] = [items.slice(0, count), items[count]];
        expect(count).toBeLessThanOrEqual(5);
        expect(count).toBeGreaterThanOrEqual(Math.min(1, items.length));
        expect(new Set(taken.map(({ job, layout }) => job + layout)).size).toBeLessThanOrEqual(1);
        const bytes = taken.reduce((sum, one) => sum + one.bytes, 0);
        if (count > 1) {
          expect(bytes).toBeLessThanOrEqual(20);
          expect(taken.some(({ alone }) => alone)).toBe(false);
        }
        // And it is no smaller than it has to be.
        const [first] = taken;
        if (first === undefined || next === undefined || count === 5) return;
        const fits = next.job === first.job && next.layout === first.layout;
        expect(fits && !next.alone && !first.alone && bytes + next.bytes <= 20).toBe(false);
      }),
    );
  });
});

test('connections are never more than there are, and go in order', async () => {
  const connections = createConnections(5);
  const went: string[] = [];
  await connections.take(3);
  const large = connections.take(4).then(() => went.push('large'));
  const small = connections.take(1).then(() => went.push('small'));
  await Promise.resolve();
  expect([connections.taken(), went]).toEqual([3, []]);
  connections.give(3);
  await Promise.all([large, small]);
  expect([connections.taken(), went]).toEqual([5, ['large', 'small']]);
});

test('the gate lets in so many of each job, and says when to come back', () => {
  const gate = createGate(2, (_, waiting) => waiting * 10);
  gate.enter('a');
  gate.hold('a');
  gate.enter('b');
  try {
    gate.enter('a');
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ status: 429, retryAfter: 20, code: 'ETL_BUSY' });
  }
  gate.leave('a');
  gate.enter('a');
  expect([gate.inside('a'), gate.inside('b'), gate.inside('c')]).toEqual([2, 1, 0]);
});

test('the room of the spool is given back', () => {
  const room = createSpoolRoom(10, () => 7);
  room.take(6);
  expect(() => room.take(5)).toThrow(Refusal);
  room.give(6);
  room.take(10);
  room.hold(5);
  expect(room.taken()).toBe(15);
});

test('whoever is sent away is told a time that the last runs suggest', () => {
  const speed = createThroughput();
  for (let run = 0; run < 50; run++) speed.note(10, 20);
  expect(speed.retryAfter(20)).toBe(20);
  expect(speed.retryAfter(0)).toBe(1);
  expect(speed.retryAfter(1_000_000)).toBe(120);
  speed.note(0, 100);
  expect(speed.retryAfter(20)).toBe(20);
});

test('jobs that write to a common table, over others too, are one group', () => {
  const job = (name: string, ...tables: string[]) => ({ name, tables });
  const jobs = [job('a', 't'), job('b', 'u'), job('c', 'v'), job('d', 'u', 't'), job('e', 'w')];
  const names = groupByTables(jobs).map((group) => group.map(({ name }) => name).sort());
  expect(names.sort()).toEqual([['a', 'b', 'd'], ['c'], ['e']]);
});
