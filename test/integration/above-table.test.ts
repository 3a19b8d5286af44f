import { expect, test } from 'vitest';
import { connect } from '../../src/target/connect.ts';
import { spansAbove } from '../../src/target/above-table.ts';
import { readTable } from '../../src/target/read-table.ts';
import { useScene } from '../support/scene.ts';

/** What the planner asks of the keys of files before it has them copied into the table. */
const scene = useScene((table) => `create table ${table} (id text collate "C" primary key)`);

type Ends = readonly [min: string | null, max: string | null];

async function above(spans: readonly Ends[], ofTable = true): Promise<boolean[]> {
  const session = { applicationName: 'above', connectTimeoutMs: 10_000, session: {} };
  const connection = await connect({ ...session, databaseUrl: scene.db.url });
  try {
    const table = await readTable(connection, { schema: 'public', name: scene.table });
    const [column] = table?.columns ?? [];
    if (table === null || column === undefined) throw new Error('no table');
    const texts = spans.map(([min, max]) => ({ min, max }));
    return await spansAbove(connection, ofTable ? table : null, column, texts);
  } finally {
    await connection.end();
  }
}

test('spans that follow each other above the table are', async () => {
  await scene.db.query(`insert into ${scene.table} values ('c')`);
  const spans: Ends[] = [
    ['d', 'f'],
    [null, null],
    ['g', 'g'],
  ];
  expect(await above(spans)).toEqual([true, true, true]);
});

test('from the first on that reaches into the one before it, none is', async () => {
  const spans: Ends[] = [
    ['a', 'f'],
    ['e', 'h'],
    ['i', 'k'],
  ];
  expect(await above(spans)).toEqual([true, false, false]);
  expect(await above([spans[0] as Ends, ['f', 'g']])).toEqual([true, false]);
});

test('one that the table reaches into is not, and the table is left out where it is not told', async () => {
  await scene.db.query(`insert into ${scene.table} values ('c')`);
  const spans: Ends[] = [
    ['b', 'd'],
    ['e', 'f'],
  ];
  expect(await above(spans)).toEqual([false, true]);
  expect(await above(spans, false)).toEqual([true, true]);
});

test('they are compared in the order of the column', async () => {
  const spans: Ends[] = [
    ['B', 'B'],
    ['a', 'a'],
  ];
  expect(await above(spans)).toEqual([true, true]);
  expect(await above(spans.toReversed())).toEqual([true, false]);
});
