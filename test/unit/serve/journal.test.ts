import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEndedUploads } from '../../../src/serve/ended-uploads.ts';
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
  const ended = createEndedUploads({ uploadsMax: keptMax, charactersMax: 1_000_000 });
  const pending = await readJournal(path, ended);
  return {
    pending: pending.map(({ id }) => id),
    ended: [...ended.all()].map(({ report }) => report.id),
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

test('an entry that could not be written is not in it, and the next one is', async () => {
  let full = false;
  const journal = await openJournal(path, {
    linesMax: 100,
    snapshot: () => [],
    before: () => (full ? Promise.reject(new Error('no room')) : Promise.resolve()),
  });
  await journal.append(accepted('1'));
  full = true;
  const refused = ['2', '3'].map((id) => journal.append(accepted(id)));
  for (const one of refused) await expect(one).rejects.toThrow('no room');
  full = false;
  await journal.append(accepted('4'));
  await journal.close();
  expect(await idsIn()).toEqual({ pending: ['1', '4'], ended: [] });
});

test('where it cannot be written anew the old one goes on, and nobody is refused', async () => {
  const kept = [accepted('kept')];
  const journal = await openJournal(path, { linesMax: 4, snapshot: () => kept, before });
  // Nothing can take the place of a folder.
  await mkdir(`${path}.new`);
  for (let entry = 0; entry < 6; entry++) await journal.append(accepted(`x${entry}`));
  const all = ['kept', ...Array.from({ length: 6 }, (_, entry) => `x${entry}`)];
  expect(await idsIn()).toEqual({ pending: all, ended: [] });
  await rm(`${path}.new`, { recursive: true });
  for (let entry = 6; entry < 9; entry++) await journal.append(accepted(`x${entry}`));
  await journal.append(accepted('last'));
  await journal.close();
  const { pending } = await idsIn();
  expect([pending[0], pending.at(-1), pending.length < 5]).toEqual(['kept', 'last', true]);
});

test('what waits to be written is in the new one only once it is written', async () => {
  const open: JournalEntry[] = [];
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let writes = 0;
  const journal = await openJournal(path, {
    linesMax: 0,
    snapshot: () => open,
    before: async () => {
      writes += 1;
      if (writes > 1) throw new Error('no room');
      begin();
      await released;
    },
  });
  const append = (id: string): Promise<void> => {
    open.push(accepted(id));
    return journal.append(accepted(id));
  };
  const first = append('1');
  await begun;
  const second = append('2');
  release();
  await first;
  await expect(second).rejects.toThrow('no room');
  await journal.close();
  expect(await idsIn()).toEqual({ pending: ['1'], ended: [] });
});

test('no more is remembered than is to be kept', async () => {
  const entries = Array.from({ length: 20 }, (_, index) => ended(String(index)));
  const journal = await openJournal(path, { linesMax: 100, snapshot: () => entries, before });
  await journal.close();
  expect((await idsIn(3)).ended).toEqual(['17', '18', '19']);
});
