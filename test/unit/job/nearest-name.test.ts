import { describe, expect, test } from 'vitest';
import { didYouMean, nearestName } from '../../../src/job/nearest-name.ts';

const KNOWN = ['table', 'key', 'onConflict', 'versionColumn', 'columns', 'chunkSize'];

describe('nearestName', () => {
  test.each([
    ['tabel', 'table'],
    ['kye', 'key'],
    ['on_conflict', 'onConflict'],
    ['ONCONFLICT', 'onConflict'],
    ['chunk-size', 'chunkSize'],
    ['column', 'columns'],
    ['versionColum', 'versionColumn'],
  ])('%s means %s', (name, meant) => {
    expect(nearestName(name, KNOWN)).toBe(meant);
  });

  test.each(['x', 'k', 'password', 'constructor', '', 'tables of mine'])(
    '%j means none',
    (name) => {
      expect(nearestName(name, KNOWN)).toBeNull();
    },
  );

  test('takes a bound on the mistakes', () => {
    expect(nearestName('colunms', ['columns'], 1)).toBe('columns');
    expect(nearestName('clmns', ['columns'], 1)).toBeNull();
    expect(nearestName('clmns', ['columns'], 2)).toBe('columns');
  });

  test('is said as a question', () => {
    expect(didYouMean('tabel', KNOWN, '--')).toBe(' Did you mean "--table"?');
    expect(didYouMean('zzz', KNOWN)).toBe('');
  });
});
