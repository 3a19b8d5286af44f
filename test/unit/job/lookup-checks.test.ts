import { expect, test } from 'vitest';
import { build, problemsOf } from './built-job.ts';

const LOOKUP = { column: 'symbol', table: 'companies', match: 'symbol', into: 'company_id' };

function problems(load: object): readonly string[] {
  return problemsOf({ file: { loads: [{ files: ['a.csv'], table: 't', ...load }] } }).map((text) =>
    text.replace(/ \(line \d+\)/, ''),
  );
}

test('a lookup has its defaults', () => {
  const job = build({ file: { loads: [{ files: ['a.csv'], table: 't', lookups: [LOOKUP] }] } });
  expect(job.loads[0]?.lookups).toEqual([
    { ...LOOKUP, id: null, fold: null, insertMissing: false },
  ]);
});

test.for<[string, object, string[]]>([
  ['none', { lookups: [LOOKUP, { ...LOOKUP, column: 'sector', into: 'sector_id' }] }, []],
  [
    'a name that is misspelt',
    { lookups: [{ ...LOOKUP, insertMising: true }] },
    ['loads[0].lookups[0].insertMising: there is no such setting. Did you mean "insertMissing"?'],
  ],
  [
    'a column that is mapped, too',
    { lookups: [LOOKUP], columns: { symbol: 'name' } },
    ['loads[0].lookups[0].column: "symbol" is mapped by columns already; leave it out.'],
  ],
  [
    'a column that is looked up twice',
    { lookups: [LOOKUP, { ...LOOKUP, into: 'other' }] },
    ['loads[0].lookups[1].column: "symbol" is looked up by another lookup already.'],
  ],
  [
    'two columns that go to the same one',
    { lookups: [LOOKUP, { ...LOOKUP, column: 'other' }], columns: { id: 'company_id' } },
    [
      'loads[0].lookups[0].into: another column of the file goes to "company_id" already.',
      'loads[0].lookups[1].into: another column of the file goes to "company_id" already.',
    ],
  ],
  [
    'the target itself',
    { lookups: [{ ...LOOKUP, table: 't' }] },
    [
      'loads[0].lookups[0].table: "t" is the table that is loaded; its own rows cannot be looked up.',
    ],
  ],
  [
    'several targets',
    { lookups: [LOOKUP], targets: [{ table: 'u' }] },
    ['loads[0].lookups: cannot go together with targets; load each table by a load of its own.'],
  ],
])('problems of %s', ([, load, expected]) => {
  expect(problems(load)).toEqual(expected);
});
