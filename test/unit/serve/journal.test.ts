import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openJournal, readJournal, type JournalEntry } from '../../../src/serve/journal.ts';
import { reportOf } from '../../../src/serve/upload.ts';
import { anUpload } from './uploads.ts';

let folder = '';
let path = '';
let syncs = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-journal-'));
  path = join(folder, 'journal.jsonl');
  syncs = 0;
});
afterEach(() => rm(folder, { recursive: true }));

const before = async (): Promise<void> => void (syncs += 1);

function accepted(id: string): JournalEntry {
  const files = [{ base: `${id}.csv`, name: 'a.csv', bytes: 1, layout: 'x', bare: false }];
  return {
    kind: 'accepted',
    upload: { id, job: 'a', acceptedAt: '2026-11-22T10:00:00.000Z', alone: false, files },
  };
}

function ended(id: string): JournalEntry {
  return { kind: 'ended', report: { ...reportOf(anUpload('a'), '2026-11-22T10:00:01.000Z'), id } };
}

async function idsIn(keptMax = 100): Promise<{ pending: string[]; ended: string[] }> {
  const state = await readJournal(path, keptMax);
  return {
    pending: state.pending.map(({ id }) => id),
    ended: state.ended.map(({ report }) => report.id),
  };
}

test('what was accepted and not ended is pending, in order; what ended is remembered', async () => {
  expect(await idsIn()).toEqual({ pending: [], ended: [] });
  const journal = await openJournal(path, { linesMax: 100, snapshot: () => [], before });
  for (const id of ['1', '2', '3']) await journal.append(accepted(id));
  await journal.append(ended('2'));
  await journal.close();
  expect(await idsIn()).toEqual({ pending: ['1', '3'], ended: ['2'] });
});

test('a line that was torn says nothing, and harms no other', async () => {
  const journal = await openJournal(path, {
    linesMax: 100,
    snapshot: () => [accepted('1')],
    before,
  });
  await appendFile(path, JSON.stringify(accepted('torn')).slice(0, 40));
  await journal.append(accepted('2'));
  await journal.close();
  expect(await idsIn()).toEqual({ pending: ['1', '2'], ended: [] });
  await writeFile(path, `${JSON.stringify(accepted('1'))}\n{"kind":"acc`);
  expect(await idsIn()).toEqual({ pending: ['1'], ended: [] });
});

test('entries that come at once share their writes', async () => {
  const journal = await openJournal(path, { linesMax: 1_000, snapshot: () => [], before });
  const all = Array.from({ length: 500 }, (_, index) => journal.append(accepted(String(index))));
  await Promise.all(all);
  expect(syncs).toBeLessThanOrEqual(2);
  await journal.close();
  expect((await idsIn()).pending).toHaveLength(500);
});

test('it is written anew, without what is of the past, and goes on', async () => {
  const kept = [ended('9'), accepted('8')];
  const journal = await openJournal(path, { linesMax: 10, snapshot: () => kept, before });
  for (let entry = 0; entry < 11; entry++) await journal.append(accepted(`x${entry}`));
  expect(await idsIn()).toEqual({ pending: ['8'], ended: ['9'] });
  await journal.append(accepted('10'));
  await journal.close();
  expect(await idsIn()).toEqual({ pending: ['8', '10'], ended: ['9'] });
  expect((await readFile(path, 'utf8')).trim().split('\n').length).toBeLessThan(6);
});

test('no more is remembered than is to be kept', async () => {
  const entries = Array.from({ length: 20 }, (_, index) => ended(String(index)));
  const journal = await openJournal(path, { linesMax: 100, snapshot: () => entries, before });
  await journal.close();
  expect((await idsIn(3)).ended).toEqual(['17', '18', '19']);
});
