import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { glob } from 'tinyglobby';
import { expandPattern } from '../../../src/source/expand-pattern.ts';
import { findFiles } from '../../../src/source/find-files.ts';
import type { FindOptions } from '../../../src/source/find-files.ts';
import { temporaryFolder } from './temporary-files.ts';

/** Paths that were made to mislead, to hang or to fill the memory. */
const root = temporaryFolder();

function folderOf(name: string, files: readonly string[]): string {
  const folder = path.join(root, name);
  for (const file of files) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), 'a\n1\n');
  }
  return folder;
}

async function found(
  cwd: string,
  patterns: readonly string[],
  options: Partial<FindOptions> = {},
): Promise<readonly string[] | EtlError> {
  try {
    const files = await findFiles(patterns, { cwd, order: 'name', ...options });
    return files.map((file) => file.name);
  } catch (error) {
    if (error instanceof EtlError) return error;
    throw error;
  }
}

describe('names', () => {
  it('of any characters are found, by a pattern and by themselves', async () => {
    const odd = ['-rf.csv', 'a\nb.csv', 'esc\x1b[31m.csv', 'quote\'".csv', '‮vsc.csv', '$(id).csv'];
    const cwd = folderOf('odd', odd);
    expect(await found(cwd, ['*.csv'])).toHaveLength(odd.length);
    for (const name of odd) expect(await found(cwd, [name])).toEqual([name]);
  });

  it.runIf(process.platform === 'linux')(
    'that are no UTF-8 are told, not passed over',
    async () => {
      const cwd = folderOf('bytes', ['good.csv']);
      writeFileSync(
        Buffer.concat([Buffer.from(`${cwd}/bad`), Buffer.of(0xff), Buffer.from('.csv')]),
        'a',
      );
      expect(await found(cwd, ['*.csv'])).toMatchObject({
        code: 'ETL_FILE_READ',
        record: { sentence: 'Its name is not UTF-8.' },
      });
    },
  );

  it('with a NUL byte are names of no file', async () => {
    expect(await found(root, ['a\0b.csv'])).toMatchObject({ code: 'ETL_FILE_NOT_FOUND' });
  });
});

describe('links', () => {
  it('are followed to files and folders, also outside', async () => {
    const outside = folderOf('outside', ['far.csv', 'deep/farther.csv']);
    const cwd = folderOf('inside', ['near.csv']);
    symlinkSync(path.join(outside, 'far.csv'), path.join(cwd, 'link.csv'));
    symlinkSync(path.join(outside, 'deep'), path.join(cwd, 'folder'));
    expect(await found(cwd, ['**/*.csv'])).toEqual(['folder/farther.csv', 'link.csv', 'near.csv']);
  });

  it('to a folder above end, and so do folders that link to each other', async () => {
    const cwd = folderOf('loops', ['a/x.csv', 'a/b/y.csv', 'u/1.csv', 'n/2.csv']);
    symlinkSync('..', path.join(cwd, 'a/b/up'));
    symlinkSync('.', path.join(cwd, 'a/self'));
    symlinkSync('nowhere', path.join(cwd, 'a/nowhere'));
    symlinkSync('endless', path.join(cwd, 'a/endless'));
    expect(await found(cwd, ['a/**/*.csv'])).toEqual(['a/b/y.csv', 'a/x.csv']);
    symlinkSync('../n', path.join(cwd, 'u/to-n'));
    symlinkSync('../u', path.join(cwd, 'n/to-u'));
    // Each file by both its paths: the order of precedence may need it in both places.
    expect(await found(cwd, ['[un]/**/*.csv'])).toEqual([
      ...['n/2.csv', 'n/to-u/1.csv', 'u/1.csv', 'u/to-n/2.csv'],
    ]);
  });
});

describe('folders', () => {
  it.each(['{a,b}', '!n', '[x]', '(p)', '+(q)', 'a*b', '{x', 'y}', '?', '@(r)'])(
    'named %s are found by their absolute path, from wherever',
    async (name) => {
      const cwd = folderOf(`named/${name}`, ['s/1.csv', 's/2.csv']);
      // As job files and the command line hand on a relative pattern.
      const literally = cwd.replaceAll(/[*?[\]{}()!\\]/g, '\\$&');
      for (const from of [cwd, path.join(cwd, 's'), root, '/']) {
        const files = await findFiles([`${literally}/s/*.csv`], { cwd: from, order: 'name' });
        expect(files.map((file) => path.basename(file.path))).toEqual(['1.csv', '2.csv']);
      }
    },
  );
});

describe('an absolute pattern', () => {
  it.each([
    ...['a b/*.csv', '.hid/*.csv', '*/*.csv', '!n/*.csv', '!n/!x*.csv', '!n/!(x)*.csv', '!x*.csv'],
    ...['é/**', './é/../!n/*', '{é,.hid}/*.csv', '@é/[0-9].csv', 'é//1.csv', 'é/*/'],
  ])('finds what it finds from the root: %s', async (pattern) => {
    const cwd = folderOf('plain/folder', [
      ...['!x1.csv', '!n/!x1.csv', '!n/y.csv', 'a b/1.csv', '.hid/1.csv', '@é/1.csv', 'é/1.csv'],
    ]);
    const options = { cwd: '/', absolute: true, expandDirectories: false };
    const expected = await glob(`${cwd}/${pattern}`, options);
    const { paths } = await expandPattern(`${cwd}/${pattern}`, '/', 100);
    expect([...paths].sort()).toEqual(expected.sort());
  });
});

describe('what a pattern means and nobody can read', () => {
  it.each([
    ['a link that leads nowhere', (at: string) => symlinkSync('nowhere', at), 'ETL_FILE_READ'],
    ['a link to itself', (at: string) => symlinkSync(path.basename(at), at), 'ETL_FILE_READ'],
    ['a pipe', (at: string) => execFileSync('mkfifo', [at]), 'ETL_FILE_FORMAT'],
    ['a link to a device', (at: string) => symlinkSync('/dev/null', at), 'ETL_FILE_FORMAT'],
  ])('is told of, not passed over: %s', async (what, make, code) => {
    const cwd = folderOf(what, ['good.csv']);
    make(path.join(cwd, 'odd.csv'));
    for (const pattern of ['*.csv', '**/*.csv', `${cwd}/o*.csv`]) {
      const told = await found(cwd, [pattern]);
      expect(told).toMatchObject({ code, record: { facts: { file: 'odd.csv' } } });
    }
    expect(await found(cwd, ['g*.csv'])).toEqual(['good.csv']);
  });
});

describe('what is no file', () => {
  it('is refused before it is opened: pipe, device, socket, folder', async () => {
    const cwd = folderOf('kinds', ['good.csv', 'folder.csv/inner.csv']);
    execFileSync('mkfifo', [path.join(cwd, 'pipe.csv')]);
    symlinkSync('/dev/zero', path.join(cwd, 'zero.csv'));
    const server = createServer().listen(path.join(cwd, 'socket.csv'));
    await once(server, 'listening');
    try {
      for (const name of ['pipe.csv', 'zero.csv', 'socket.csv']) {
        expect(await found(cwd, [name])).toMatchObject({
          code: 'ETL_FILE_FORMAT',
          record: { sentence: 'It is not a regular file.' },
        });
      }
      expect(await found(cwd, ['folder.csv'])).toMatchObject({ code: 'ETL_FILE_FORMAT' });
      const several = (await found(cwd, ['*.csv'])) as EtlError;
      expect(several.record.facts.problems).toHaveLength(3);
    } finally {
      server.close();
    }
  });
});

describe('masses', () => {
  it('of files are refused at the limit, over all patterns', async () => {
    const cwd = folderOf(
      'many',
      Array.from({ length: 30 }, (_, index) => `${index}.csv`),
    );
    expect(await found(cwd, ['*.csv'], { filesMax: 30 })).toHaveLength(30);
    expect(await found(cwd, ['*.csv'], { filesMax: 29 })).toMatchObject({
      code: 'ETL_LIMIT',
      record: { facts: { limit: 29 }, sentence: 'The patterns find more than 29 files.' },
    });
    const halves = ['1*.csv', '2*.csv'];
    expect(await found(cwd, halves, { filesMax: 21 })).toMatchObject({ code: 'ETL_LIMIT' });
  });

  it('of names end the search early, with what was met so far', async () => {
    const cwd = folderOf(
      'wide',
      Array.from({ length: 200 }, (_, index) => `${index % 20}/${index}.txt`),
    );
    expect(await found(cwd, ['**/*.csv'], { filesMax: 10 })).toMatchObject({
      code: 'ETL_LIMIT',
      record: { facts: { file: '**/*.csv', limit: 40 } },
    });
    expect(await expandPattern('**/*.txt', cwd, 100)).toMatchObject({ paths: [], cut: true });
    expect((await expandPattern('**/*.txt', cwd, 220)).paths).toHaveLength(200);
  });
});
