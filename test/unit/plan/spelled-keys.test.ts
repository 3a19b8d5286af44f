import { expect, it } from 'vitest';
import { differAsSpelled } from '../../../src/plan/spelled-keys.ts';
import type { DocumentDescription, DocumentSource } from '../../../src/source/source-file.ts';
import type { TargetColumn } from '../../../src/target/table.ts';
import { column, filePlan, type } from './fixtures.ts';

/** Documents at these paths, `{id}_{level}.html`, into a table with this key of its columns. */
function differ(
  paths: readonly string[],
  key: readonly TargetColumn[],
  more: Readonly<Record<string, DocumentSource>> = {},
): boolean {
  const sources: Readonly<Record<string, DocumentSource>> = {
    id: { kind: 'placeholder', place: 0 },
    level: { kind: 'placeholder', place: 1 },
    ...more,
  };
  const columns = Object.entries(sources).map(([name, source]) => ({ name, source }));
  const description: DocumentDescription = {
    ...{ kind: 'document', columns, encoding: 'utf8' },
    pattern: '{id}_{level}.html',
  };
  const targets = columns.map(({ name }) => name);
  const files = paths.map((path, ordinal) => filePlan(ordinal, { path, description, targets }));
  return differAsSpelled(files, description, key);
}

const ID = column('id', 'int8');
const LEVEL = column('level');

it.each<[string, readonly string[], readonly TargetColumn[], boolean]>([
  ['whole numbers as they are written', ['/0_a.html', '/-7_a.html', '/12_a.html'], [ID], true],
  ['a number with a zero before it', ['/1_a.html', '/01_a.html'], [ID], false],
  ['a number that is none', ['/one_a.html'], [ID], false],
  ['minus nothing', ['/-0_a.html'], [ID], false],
  ['texts', ['/1_A.html', '/1_a.html', '/1_ a .html'], [ID, LEVEL], true],
  ['texts in a column of fewer blanks', ['/1_a.html'], [column('level', 'varchar')], true],
  ['texts with blanks there', ['/1_a .html'], [column('level', 'varchar')], false],
  ['texts that are padded', ['/1_a.html'], [column('level', 'bpchar')], false],
  ['numbers of many spellings', ['/1_a.html'], [column('id', 'numeric')], false],
  ['texts of another order', ['/1_a.html'], [column('level', 'text', { collation: 'ci' })], false],
  [
    'a domain over a text',
    ['/1_a.html'],
    [{ ...LEVEL, type: type('text', { kind: 'domain' }) }],
    false,
  ],
  ['a column that no path fills', ['/1_a.html'], [ID, column('other')], false],
  ['no document', [], [ID], false],
])('%s', (_, paths, key, expected) => {
  expect(differ(paths, key)).toBe(expected);
});

it.each<[DocumentSource, boolean]>([
  [{ kind: 'path' }, true],
  [{ kind: 'name' }, true],
  [{ kind: 'constant', value: 'us' }, true],
  [{ kind: 'constant', value: null }, false],
  [{ kind: 'modified' }, false],
  [{ kind: 'size' }, false],
  [{ kind: 'loaded' }, false],
  [{ kind: 'content' }, false],
])('a part of the key from %o', (source, expected) => {
  expect(differ(['/1_a.html'], [ID, column('more')], { more: source })).toBe(expected);
});
