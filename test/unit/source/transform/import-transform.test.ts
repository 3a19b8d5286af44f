import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { importTransform } from '../../../../src/source/transform/import-transform.ts';
import { readTransform } from '../../../../src/source/transform/read-transform.ts';
import { temporaryFolder } from '../temporary-files.ts';

const folder = temporaryFolder();
let modules = 0;

function write(text: string): string {
  const path = join(folder, `module-${++modules}.mjs`);
  writeFileSync(path, text);
  return path;
}

describe('a module that is no transform', () => {
  it.each<[string, string, string]>([
    ['exports nothing', '', 'it has no default export that is an object'],
    ['exports a function', 'export default () => 1', 'it has no default export that is an object'],
    ['has no function', 'export default { columns: ["a"] }', '"transform" is not a function'],
    ['has no columns', 'export default { transform() {} }', 'it does not say its "columns"'],
    ['has none in the list', 'export default { columns: [], transform() {} }', 'are none'],
    ['names a column twice', 'export default { columns: ["a", "a"], transform() {} }', 'twice'],
    ['names no names', 'export default { columns: [1], transform() {} }', 'are not names'],
    ['types by numbers', 'export default { columns: { a: 1 }, transform() {} }', 'are not names'],
    ['sets up nothing', 'export default { columns: ["a"], setUp: 1, transform() {} }', '"setUp"'],
    [
      'is of version 2',
      'export default { columns: ["a"], version: 2, transform() {} }',
      '"version"',
    ],
    ['throws', 'throw new RangeError("no model")', 'cannot be imported: RangeError: no model.'],
    ['is no JavaScript', 'export default {', 'cannot be imported: '],
    ['imports nothing that there is', 'import "./gone.mjs"', 'cannot be imported: '],
  ])('is refused where it %s', async (_, text, what) => {
    const path = write(text);
    await expect(importTransform(path)).rejects.toMatchObject({
      code: 'ETL_TRANSFORM',
      record: { facts: { file: expect.stringMatching(/^module-\d+\.mjs$/) as string } },
      message: expect.stringContaining(what) as string,
    });
  });

  it('is refused where it is not there', async () => {
    const gone = importTransform(join(folder, 'gone.mjs'));
    await expect(gone).rejects.toMatchObject({ code: 'ETL_FILE_NOT_FOUND' });
  });
});

test('what it says of itself is read without calling it', async () => {
  const listed = write(`export default {
    columns: ['score', 'grade'],
    setUp() { throw new Error('called') },
    transform() { throw new Error('called') },
  }`);
  await expect(readTransform({ module: listed, options: { a: 1 } })).resolves.toEqual({
    module: listed,
    options: { a: 1 },
    columns: { score: null, grade: null },
    version: null,
  });
  const typed = write(`export default {
    columns: { score: 'real' }, version: '2', transform: (rows) => rows,
  }`);
  await expect(readTransform({ module: typed, options: {} })).resolves.toMatchObject({
    columns: { score: 'real' },
    version: '2',
  });
});

test('a module is imported once, and again when it was written to', async () => {
  const text = (version: number): string =>
    `export default { columns: ['a'], version: '${version}', transform: (rows) => rows }`;
  const path = write(text(1));
  const first = await importTransform(path);
  expect(await importTransform(path)).toBe(first);
  writeFileSync(path, text(2));
  utimesSync(path, new Date(), new Date(Date.now() + 5_000));
  await expect(importTransform(path)).resolves.toMatchObject({ version: '2' });
});
