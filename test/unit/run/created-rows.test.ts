import { expect, test } from 'vitest';
import type { LoadPlan } from '../../../src/plan/plan-types.ts';
import { countCreated } from '../../../src/run/created-rows.ts';
import type { RunEvent } from '../../../src/run/events.ts';

const column = (sqlName: string | null) => (sqlName === null ? {} : { lookup: { sqlName } });
const planOf = (...tables: (string | null)[]): LoadPlan =>
  ({ table: { columns: tables.map(column) } }) as unknown as LoadPlan;

test('rows that are created are summed by table, and the events passed on', () => {
  const seen: RunEvent[] = [];
  const created = countCreated((event) => seen.push(event));
  const told: RunEvent[] = [
    { kind: 'rows-created', load: 0, table: 'companies', rows: 3 },
    { kind: 'file-staged', load: 0, file: 0, rows: 9 },
    { kind: 'rows-created', load: 0, table: 'companies', rows: 2 },
  ];
  told.forEach(created.onEvent);
  expect(seen).toEqual(told);
  expect(created.report(planOf('companies', null, 'sites', 'companies'))).toEqual({
    lookups: [
      { table: 'companies', created: 5 },
      { table: 'sites', created: 0 },
    ],
  });
});

test('a load without lookups says nothing of them', () => {
  expect(countCreated(() => undefined).report(planOf(null))).toEqual({});
});
