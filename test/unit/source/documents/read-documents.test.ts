import { createHash } from 'node:crypto';
import { appendFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/limits.ts';
import {
  readDocuments,
  type DocumentWindow,
  type ReadOptions,
} from '../../../../src/source/documents/read-documents.ts';
import type { SourceFile } from '../../../../src/source/source-file.ts';
import { temporaryFolder, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();

function document(name: string, content: string | Buffer): SourceFile {
  return { ...writeSource(folder, `${name}.csv`, content), format: 'document' };
}

/** What a disk makes of the clock, and of the count of blocks: each look at them adds so much. */
let disk = { lookMs: 0, lookBlocks: 0 };
function asTheDisk(): Pick<ReadOptions, 'now' | 'blocksRead'> {
  const at = { ms: 0, blocks: 0 };
  return {
    now: () => (at.ms += disk.lookMs),
    blocksRead: () => (at.blocks += disk.lookBlocks),
  };
}

/** Behind a window that says how the next ones are to be read. */
async function windowsOf(files: readonly SourceFile[]): Promise<DocumentWindow[]> {
  const before = document('before', Buffer.alloc(LIMITS.documentWindowBytes - 1));
  const windows: DocumentWindow[] = [];
  for await (const window of readDocuments([before, ...files], asTheDisk())) {
    windows.push({ ...window, first: window.first - 1, bytes: Buffer.from(window.bytes) });
  }
  return windows.slice(1);
}

/** The text of each document, or the code of its error. */
async function textsOf(files: readonly SourceFile[]): Promise<string[]> {
  return (await windowsOf(files)).flatMap(({ bytes, documents }) =>
    documents.map((one) =>
      'error' in one ? one.error.code : bytes.toString('utf8', one.start, one.end),
    ),
  );
}

const NOTHING = { lookMs: 0, lookBlocks: 0 };
describe.each([
  ['in memory', NOTHING],
  ['on a disk', { lookMs: 1, lookBlocks: LIMITS.documentWindowBytes }],
  ['on a slow disk', { lookMs: 1_000, lookBlocks: 0 }],
])('reading documents that are %s', (_, told) => {
  beforeEach(() => {
    disk = told;
  });

  it('gives them in their order, with the hash of their bytes, empty ones among them', async () => {
    const texts = ['one', '', 'drei ä', 'four'];
    const files = texts.map((text, place) => document(`order-${place}`, text));
    await expect(textsOf(files)).resolves.toEqual(texts);
    const [window] = await windowsOf(files);
    expect(window?.documents.map((one) => 'contentHash' in one && one.contentHash)).toEqual(
      texts.map((text) => createHash('sha256').update(text).digest('hex')),
    );
  });

  it('holds windows of so many bytes, and a document that is larger by itself', async () => {
    const sizes = [0.6, 0.3, 0.3, 2, 0.1, 0.1].map((share) =>
      Math.round(share * LIMITS.documentWindowBytes),
    );
    const files = sizes.map((size, place) =>
      document(`window-${place}`, Buffer.alloc(size, place)),
    );
    const windows = await windowsOf(files);
    expect(windows.map(({ first, documents }) => [first, documents.length])).toEqual([
      [0, 2],
      [2, 1],
      [3, 1],
      [4, 2],
    ]);
    for (const { first, bytes, documents } of windows) {
      for (const [index, one] of documents.entries()) {
        if ('error' in one) throw one.error;
        const expected = Buffer.alloc(sizes[first + index] ?? 0, first + index);
        expect(bytes.subarray(one.start, one.end).equals(expected)).toBe(true);
      }
    }
  });

  it('tells what is wrong with one in its place, and reads the others', async () => {
    const names = ['fine', 'longer', 'touched', 'gone', 'fine-too'];
    const files = names.map((name) => document(name, name));
    const pathOf = (name: string): string => `${folder}/${name}.csv`;
    appendFileSync(pathOf('longer'), '!');
    utimesSync(pathOf('touched'), 1_000, 1_000);
    rmSync(pathOf('gone'));
    await expect(textsOf(files)).resolves.toEqual([
      'fine',
      'ETL_FILE_CHANGED',
      'ETL_FILE_CHANGED',
      'ETL_FILE_READ',
      'fine-too',
    ]);
  });

  it('does not read what is too large for a value', async () => {
    const small = document('small', 'small');
    const large = { ...document('large', 'x'), bytes: LIMITS.documentBytesMax + 1 };
    await expect(textsOf([small, large, small])).resolves.toEqual(['small', 'ETL_LIMIT', 'small']);
    const [window] = await windowsOf([small, large]);
    expect(window?.bytes.length).toBeLessThanOrEqual(LIMITS.documentWindowBytes);
  });

  it('ends with the abort', async () => {
    const files = [0, 1, 2].map((place) =>
      document(`abort-${place}`, Buffer.alloc(LIMITS.documentWindowBytes, 65)),
    );
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      for await (const { first } of readDocuments(files, {
        ...asTheDisk(),
        signal: abort.signal,
      })) {
        expect(first).toBe(0);
        abort.abort(new Error('enough'));
      }
    };
    await expect(read()).rejects.toThrow('enough');
  });
});

it.each([
  ['at once', NOTHING],
  ['from a disk', { lookMs: 1, lookBlocks: LIMITS.documentWindowBytes }],
  ['meanwhile', { lookMs: 1_000, lookBlocks: 0 }],
])('read %s, a file keeps its time of access, which Linux allows', async (how, told) => {
  disk = told;
  const file = document(`read-${how.replace(' ', '-')}`, 'a page');
  utimesSync(file.path, 1_000, 2_000);
  await expect(textsOf([{ ...file, mtimeMs: 2_000_000 }])).resolves.toEqual(['a page']);
  if (process.platform === 'linux') expect(statSync(file.path).atimeMs).toBe(1_000_000);
});

describe('how documents are read', () => {
  /** For each window, whether others had their turn while it was read; and how often blocks were asked for. */
  async function gaveWay(blocksOf: (window: number) => number, windowMs = 1) {
    const files = [0, 1, 2, 3, 4].map((place) =>
      document(`way-${place}`, Buffer.alloc(LIMITS.documentWindowBytes - 1)),
    );
    let [looks, blocks, ms] = [0, 0, 0];
    const blocksRead = (): number => {
      // One look before the first window, and one behind each, of which the last is empty.
      if (looks > 0) blocks += blocksOf(looks - 1);
      looks += 1;
      return blocks;
    };
    const turns: boolean[] = [];
    const windows = readDocuments(files, { now: () => (ms += windowMs), blocksRead });
    while (turns.length < files.length) {
      let turned = false;
      setImmediate(() => (turned = true));
      await windows.next();
      turns.push(turned);
    }
    await windows.return(undefined);
    return { turns, looks };
  }

  const ALL = LIMITS.documentWindowBytes / 512;

  it('waits for files in memory, and gives way while they come from a disk', async () => {
    expect((await gaveWay(() => 0)).turns).toEqual([false, false, false, false, false]);
    // The first says what the second is, which is under way before anybody asks for it.
    const { turns: some } = await gaveWay((window) => (window < 2 ? ALL : 0));
    expect(some.slice(0, 2)).toEqual([false, true]);
    expect(some.at(-1)).toBe(false);
  });

  it('takes a few blocks for what others of the process read', async () => {
    const few = await gaveWay(() => ALL / 8);
    expect(few).toEqual({ turns: [false, false, false, false, false], looks: 7 });
  });

  it('does not ask the system about what was there faster than from any disk', async () => {
    const quick = await gaveWay(() => ALL, 0.1);
    expect(quick).toEqual({ turns: [false, false, false, false, false], looks: 1 });
  });
});
