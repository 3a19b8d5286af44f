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
    { ...LOOKUP, id: null, fold: null, insertMissing: false, set: {}, required: null },
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
    ['loads[0].lookups[0].table: "t" is a table that is loaded; its own rows cannot be looked up.'],
  ],
  ['several targets', { lookups: [LOOKUP], targets: [{ table: 'u' }] }, []],
  [
    'one of several targets',
    { lookups: [LOOKUP], targets: [{ table: 'companies' }] },
    [
      'loads[0].lookups[0].table: "companies" is a table that is loaded; its own rows cannot be looked up.',
    ],
  ],
  [
    'further columns of a row that is not created',
    { lookups: [{ ...LOOKUP, set: { name: 'company' } }] },
    [
      'loads[0].lookups[0].set: has no effect without insertMissing: only a created row gets further columns.',
    ],
  ],
  [
    'further columns that are the value itself, or the same',
    {
      lookups: [
        { ...LOOKUP, insertMissing: true, set: { symbol: 'symbol', name: 'n', title: 'n' } },
      ],
    },
    [
      'loads[0].lookups[0].set.symbol: a created row has the value itself there; leave it out.',
      'loads[0].lookups[0].set.title: "n" goes to another column of the row already.',
    ],
  ],
  [
    'a value that need not be found, and is created',
    { lookups: [{ ...LOOKUP, insertMissing: true, required: false }] },
    [
      'loads[0].lookups[0].required: false has no effect with insertMissing, which creates what is not found; leave it out.',
    ],
  ],
])('problems of %s', ([, load, expected]) => {
  expect(problems(load)).toEqual(expected);
});
