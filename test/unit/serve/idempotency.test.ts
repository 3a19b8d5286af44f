import { expect, test } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import {
  bodyDigest,
  createKeyedUploads,
  idempotencyKeyOf,
} from '../../../src/serve/idempotency.ts';
import type { ReceivedFile } from '../../../src/serve/receive-upload.ts';

const ACCEPTED = '2026-11-22T10:00:00.000Z';

function uploadOf(id: string, key: string, body = 'b') {
  return { id, job: 'a', acceptedAt: ACCEPTED, idempotency: { key, body } };
}

function keyedAt(ms = 0) {
  return createKeyedUploads(() => new Date(Date.parse(ACCEPTED) + ms));
}

test('a key is one word of visible characters, and may be left out', () => {
  expect(idempotencyKeyOf(undefined)).toBeNull();
  expect(idempotencyKeyOf(' "8e03978e-40d5" ')).toBe('"8e03978e-40d5"');
  const longest = 'x'.repeat(LIMITS.serveKeyCharactersMax);
  expect(idempotencyKeyOf(longest)).toBe(longest);
  for (const bad of ['', ' ', 'two words', 'ü', `${longest}x`, ['a', 'b']]) {
    expect(() => idempotencyKeyOf(bad)).toThrow(
      expect.objectContaining({ status: 400, code: 'ETL_USAGE' }),
    );
  }
});

test('the same job, key and body are the same upload; of another job it is another one', async () => {
  const keyed = keyedAt();
  keyed.add(uploadOf('1', 'k'));
  await expect(keyed.find('a', { key: 'k', body: 'b' })).resolves.toBe('1');
  expect(keyed.find('b', { key: 'k', body: 'b' })).toBeNull();
  expect(keyed.find('a', { key: 'l', body: 'b' })).toBeNull();
  expect(() => keyed.find('a', { key: 'k', body: 'c' })).toThrow(
    expect.objectContaining({ status: 422 }),
  );
});

test('after a day the key is free again, and the upload that it was of does not take the new one along', async () => {
  const day = LIMITS.serveKeyMs;
  const within = keyedAt(day);
  within.add(uploadOf('1', 'k'));
  await expect(within.find('a', { key: 'k', body: 'b' })).resolves.toBe('1');
  const late = keyedAt(day + 1);
  late.add(uploadOf('1', 'k'));
  expect(late.find('a', { key: 'k', body: 'c' })).toBeNull();
  late.add({ ...uploadOf('2', 'k', 'c'), acceptedAt: '2026-11-23T10:00:00.001Z' });
  late.forget(uploadOf('1', 'k'));
  await expect(late.find('a', { key: 'k', body: 'c' })).resolves.toBe('2');
  late.forget(uploadOf('2', 'k'));
  expect(late.find('a', { key: 'k', body: 'c' })).toBeNull();
});

test('who repeats an upload that cannot be written down hears so, too', async () => {
  const keyed = keyedAt();
  keyed.add(uploadOf('1', 'k'), Promise.reject(new Error('no room')));
  await expect(keyed.find('a', { key: 'k', body: 'b' })).rejects.toThrow('no room');
});

test('the digest is of what is loaded and how, and not of the id or the place in the spool', () => {
  const file = (id: string, more: Partial<ReceivedFile> = {}): ReceivedFile => ({
    ...{ base: `${id}-1.csv`, name: 'a.csv', bytes: 3, mtimeMs: 1, contentHash: 'h' },
    ...more,
  });
  const asked = { id: '1', kind: 'files', alone: false };
  const digest = bodyDigest(asked, [file('1')]);
  expect(bodyDigest({ ...asked, id: '22' }, [file('22')])).toBe(digest);
  const others = [
    bodyDigest({ ...asked, alone: true }, [file('1')]),
    bodyDigest({ ...asked, kind: 'rows' }, [file('1')]),
    bodyDigest(asked, [file('1', { name: 'b.csv' })]),
    bodyDigest(asked, [file('1', { base: '1-1.csv.gz' })]),
    bodyDigest(asked, [file('1', { contentHash: 'i' })]),
    bodyDigest(asked, [file('1'), file('1', { base: '1-2.csv' })]),
  ];
  expect(new Set([digest, ...others]).size).toBe(others.length + 1);
});
