import { expect, test } from 'vitest';
import { pageFor } from '../../../src/report/page.ts';
import { lookupLines } from '../../../src/report/plan-lookups.ts';
import type { ColumnLookup } from '../../../src/target/table.ts';
import { loadPlan } from './fixtures.ts';

const LOOKUP: ColumnLookup = {
  ...{ schema: 'app', table: 'companies', sqlName: 'app.companies', id: 'id' },
  match: {
    name: 'symbol',
    collation: null,
    type: {
      ...{ declared: 'text', cast: 'text', typeName: 'text', kind: 'base' },
      ...{ element: null, hashable: true, bytewise: true },
    },
  },
  ...{ fold: 'upper', insertMissing: true },
};

function linesOf(lookup: ColumnLookup): string[] {
  const plan = loadPlan();
  const [first, ...others] = plan.table.columns;
  if (first === undefined) throw new Error('a table has columns');
  const columns = [{ ...first, lookup }, ...others];
  const page = pageFor({ color: false, width: 200 });
  return lookupLines({ ...plan, table: { ...plan.table, columns } }, page).map((line) =>
    line.trim(),
  );
}

test('a lookup of a further table is told with its name', () => {
  const plan = loadPlan();
  const [first] = plan.table.columns;
  if (first === undefined) throw new Error('a table has columns');
  const table = { ...plan.table, sqlName: 'app.log', columns: [{ ...first, lookup: LOOKUP }] };
  const further = {
    ...{ table, key: [], onConflict: 'append' as const },
    versionColumn: null,
    where: null,
  };
  const lines = lookupLines({ ...plan, targets: [further] }, pageFor({ color: false, width: 200 }));
  expect(lines.map((line) => line.trim())).toEqual([
    expect.stringContaining(`app.log.${first.name}: id of the row of app.companies`),
  ]);
});

test('a lookup is told in a line: what is found by what, and what becomes of a new value', () => {
  const plan = loadPlan();
  const name = plan.table.columns[0]?.name ?? '';
  expect(linesOf(LOOKUP)).toEqual([
    `- ${name}: id of the row of app.companies whose symbol equals the file's ${name}, in upper case; a missing one is created`,
  ]);
  expect(linesOf({ ...LOOKUP, fold: null, insertMissing: false })).toEqual([
    `- ${name}: id of the row of app.companies whose symbol equals the file's ${name}; a row without one is bad`,
  ]);
  const columns = [
    { ...LOOKUP.match, notNull: false, hasDefault: false, generated: 'no' as const },
  ];
  const set = { view: 0, columns: columns.map((column) => ({ ...column, name: 'title' })) };
  expect(linesOf({ ...LOOKUP, fold: null, required: true, set })).toEqual([
    `- ${name}: id of the row of app.companies whose symbol equals the file's ${name}; a missing one is created, with title of its first row; a row without a value is bad`,
  ]);
  expect(linesOf({ ...LOOKUP, fold: null, insertMissing: false, required: false })).toEqual([
    `- ${name}: id of the row of app.companies whose symbol equals the file's ${name}; NULL where there is none`,
  ]);
  expect(lookupLines(plan, pageFor({ color: false, width: 200 }))).toEqual([]);
});
