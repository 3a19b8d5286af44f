import { expect, test } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { knownFiles } from '../../../src/serve/known-files.ts';
import { createMetHeaders } from '../../../src/serve/met-headers.ts';
import type { KnownFile } from '../../../src/serve/upload.ts';
import type { CsvDescription, SourceFile } from '../../../src/source/source-file.ts';
import { anUpload } from './uploads.ts';

const DESCRIPTION = { kind: 'csv', columns: ['id'] } as unknown as CsvDescription;

function known(base: string): KnownFile {
  const file: SourceFile = {
    ...{ path: `/spool/${base}`, name: base, format: 'csv', compression: 'none' },
    ...{ bytes: 1, mtimeMs: 1 },
  };
  return { file, description: DESCRIPTION };
}

test('files that were looked at when they came are not looked for again, in their order', async () => {
  const { files } = anUpload('a', [
    { base: 'b.csv', known: known('b.csv') },
    { base: 'a.csv', known: known('a.csv') },
  ]);
  const { findFiles } = knownFiles(files, (base) => `/spool/${base}`);
  const found = await findFiles?.([], { cwd: '', order: 'listed' });
  expect(found?.map(({ name }) => name)).toEqual(['b.csv', 'a.csv']);
});

test('after a restart all are looked for, those that came since included', () => {
  const { files } = anUpload('a', [{}, { base: 'a.csv', known: known('a.csv') }]);
  expect(knownFiles(files, (base) => base).findFiles).toBeUndefined();
});

test('headers are kept for each job, and forgotten where they are many, or long', () => {
  const headersOf = createMetHeaders();
  headersOf({ name: 'a' }).set('id', DESCRIPTION);
  expect([...headersOf({ name: 'a' }).keys()]).toEqual(['id']);
  expect(headersOf({ name: 'b' }).size).toBe(0);
  for (let header = 1; header < LIMITS.headersKeptMax; header++) {
    headersOf({ name: 'a' }).set(`id,c${header}`, DESCRIPTION);
  }
  expect(headersOf({ name: 'a' }).size).toBe(0);
  headersOf({ name: 'a' }).set('x'.repeat(LIMITS.serveHeaderCharactersMax + 1), DESCRIPTION);
  expect(headersOf({ name: 'a' }).size).toBe(0);
});
