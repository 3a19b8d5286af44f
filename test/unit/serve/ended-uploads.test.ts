import { expect, test } from 'vitest';
import { createEndedUploads, type EndedUpload } from '../../../src/serve/ended-uploads.ts';
import { reportOf } from '../../../src/serve/upload.ts';
import { anUpload } from './uploads.ts';

function ended(id: string, files = 1): EndedUpload {
  const upload = anUpload(
    'a',
    Array.from({ length: files }, () => ({})),
  );
  return { report: { ...reportOf(upload, '2026-11-22T10:00:01.000Z'), id } };
}

const idsOf = (all: Iterable<EndedUpload>): string[] => [...all].map(({ report }) => report.id);

test('what is asked for is told as it was, with the key that it came under', () => {
  const kept = createEndedUploads();
  const one = { ...ended('1'), idempotency: { key: 'k', body: 'b' } };
  expect(kept.add(one)).toEqual([]);
  kept.add(ended('2'));
  expect(kept.find('1')).toEqual(one.report);
  expect(kept.find('3')).toBeNull();
  expect([...kept.all()][0]).toEqual(one);
  expect([...kept.lines()].map((line) => JSON.parse(line) as unknown)[0]).toEqual({
    kind: 'ended',
    ...one,
  });
});

test('the oldest is forgotten where there are too many, and told to whoever adds', () => {
  const kept = createEndedUploads({ uploadsMax: 2, charactersMax: 1_000_000 });
  const [first, ...more] = ['1', '2', '3'].map((id) => ended(id));
  const told = [first, ...more].map((one) => (one === undefined ? [] : kept.add(one)));
  expect(told).toEqual([[], [], [first]]);
  expect(kept.find('1')).toBeNull();
  expect(idsOf(kept.all())).toEqual(['2', '3']);
});

test('forms of many files are remembered as long as their text has room, the newest in any case', () => {
  const small = JSON.stringify({ kind: 'ended', ...ended('1') }).length;
  const kept = createEndedUploads({ uploadsMax: 1_000, charactersMax: 10 * small });
  for (let id = 1; id <= 50; id++) {
    kept.add(ended(String(id), 4));
    const characters = [...kept.lines()].reduce((sum, line) => sum + line.length, 0);
    expect(characters).toBeLessThanOrEqual(10 * small);
  }
  expect(idsOf(kept.all()).length).toBeGreaterThan(1);
  expect(idsOf(kept.all()).at(-1)).toBe('50');
  expect(kept.add(ended('large', 100)).length).toBeGreaterThan(1);
  expect(idsOf(kept.all())).toEqual(['large']);
  // One that is said twice takes its room once.
  kept.add(ended('large', 100));
  kept.add(ended('small'));
  expect(idsOf(kept.all())).toEqual(['small']);
});
