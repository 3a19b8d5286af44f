import { expect, test } from 'vitest';
import { openUpsert, type UpsertResult } from '../../src/index.ts';
import { LIMITS } from '../../src/limits.ts';
import { useScene } from '../support/scene.ts';

/** Few rows for tables that are there are planned without a sample, which has nothing to choose. */
const scene = useScene((table) => `create table ${table} (id bigint primary key, n integer)`);

const rowsOf = (count: number, n: number): object[] =>
  Array.from({ length: count }, (_, id) => ({ id, n }));

/** What the plan knew of rows per key; null where it sampled none. */
function sampled({ report }: UpsertResult): number | null | undefined {
  return report?.loads[0]?.prediction.multiplicity.predicted;
}

test('few rows for a table that is there are not sampled, more are', async () => {
  const loader = await openUpsert({ databaseUrl: scene.db.url, table: scene.table });
  try {
    const few = await loader.upsert(rowsOf(LIMITS.upsertUnsampledRowsMax, 1));
    expect([few.counts.inserted, sampled(few)]).toEqual([LIMITS.upsertUnsampledRowsMax, null]);
    const more = await loader.upsert(rowsOf(LIMITS.upsertUnsampledRowsMax + 1, 2));
    expect([more.counts.updated, more.counts.inserted]).toEqual([LIMITS.upsertUnsampledRowsMax, 1]);
    expect(sampled(more)).toBe(1);
  } finally {
    await loader.close();
  }
});

test('a table that is made has the types that the rows tell', async () => {
  const made = `${scene.table}_made`;
  const alone = { databaseUrl: scene.db.url, table: made, key: ['id'] };
  const first = await openUpsert(alone);
  try {
    expect(sampled(await first.upsert(rowsOf(3, 1)))).toBe(1);
    expect(sampled(await first.upsert(rowsOf(4, 2)))).toBeNull();
  } finally {
    await first.close();
  }
  const [types] = await scene.db.query(
    `select pg_typeof(n)::text as type, n::int from ${made} limit 1`,
  );
  expect(types).toEqual({ type: 'bigint', n: 2 });
});
