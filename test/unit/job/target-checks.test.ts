import { describe, expect, test } from 'vitest';
import { build, problemsOf } from './built-job.ts';

const load = (more: object): object => ({
  loads: [{ files: ['a.csv'], table: 'raw', onConflict: 'append', ...more }],
});
const names = { table: 'names', onConflict: 'ignore' };

describe('targets of a load', () => {
  test('have defaults of their own', () => {
    const job = build({ file: load({ targets: [{ table: 'names' }] }) });
    expect(job.loads[0]?.targets).toMatchObject([
      { table: 'names', key: null, onConflict: 'update', versionColumn: null, where: null },
    ]);
  });

  test.each<[string, object, string]>([
    ['a table twice', { targets: [names, names] }, '"names" takes the rows already'],
    ['the table itself', { targets: [{ table: 'raw' }] }, '"raw" takes the rows already'],
    ['a key of append', { targets: [{ ...names, onConflict: 'append', key: ['a'] }] }, 'no effect'],
    ['newest of nothing', { targets: [{ ...names, onConflict: 'newest' }] }, 'versionColumn'],
    [
      'partitioned',
      { strategy: 'partitioned', targets: [names] },
      '"partitioned" writes one table',
    ],
    ['a second statement', { targets: [{ ...names, where: 'true; drop' }] }, 'a semicolon'],
    [
      'two columns into one',
      { targets: [{ ...names, columns: { a: 'x', b: 'x' } }] },
      'two columns',
    ],
  ])('refuses %s', (_, more, sentence) => {
    expect(problemsOf({ file: load(more) }).join('\n')).toContain(sentence);
  });
});
