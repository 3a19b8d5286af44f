import { describe, expect, it, test } from 'vitest';
import { jobSchema, type LoadRequest, type Settings } from '../../../src/job/schema.ts';
import { fingerprintOf } from '../../../src/plan/fingerprint.ts';
import { planLoads } from '../../../src/plan/plan.ts';
import type { LoadPlan } from '../../../src/plan/plan-types.ts';
import { fakeContext, fakeCsv, type FakeWorld } from './fake-context.ts';
import { column, request, table } from './fixtures.ts';

/** Plans a load whose transform declares these columns. */
async function planWith(
  columns: Readonly<Record<string, string | null>>,
  world: FakeWorld = {},
  load: Partial<LoadRequest> = {},
  settings: Partial<Settings> = {},
): Promise<LoadPlan> {
  const transform = { module: '/jobs/score.ts', options: { columns } };
  const job = jobSchema.parse({ loads: [request({ transform, ...load })], settings });
  const files = [
    fakeCsv('a.csv', ['id', 'name'], rows(0, 100)),
    fakeCsv('b.csv', ['id', 'name'], rows(50, 150)),
  ];
  const { loads } = await planLoads(job, fakeContext({ tables: [table()], files, ...world }));
  const [first] = loads;
  if (first === undefined) throw new Error('a plan has a load');
  return first;
}

function rows(from: number, to: number): string[][] {
  return Array.from({ length: to - from }, (_, index) => [String(from + index), 'x']);
}

const newTable: FakeWorld = { tables: [] };

describe('a plan with a transform', () => {
  it('maps the columns that it gives, behind those of the file', async () => {
    const { files, notices } = await planWith({ amount: null, name: null });
    expect(files[0]?.targets).toEqual(['id', 'name', 'amount']);
    expect(files[0]?.description).toMatchObject({
      kind: 'transformed',
      input: { kind: 'csv' },
      columns: [
        { name: 'id', place: 0, given: false },
        { name: 'name', place: 1, given: true },
        { name: 'amount', place: null, given: true },
      ],
    });
    expect(notices).toContain(
      'Every row goes through score.ts, 10,000 at a time; it gives amount, name.',
    );
  });

  it('refuses a column that the table lacks', async () => {
    await expect(planWith({ score: null })).rejects.toMatchObject({
      code: 'ETL_COLUMN_MISSING',
      message: expect.stringContaining('column "score": app.orders has no such column') as string,
    });
  });

  it('still samples the keys, and finds the overlap', async () => {
    const { overlap, dropSuperseded } = await planWith({ amount: null });
    expect(overlap.pairs).toHaveLength(1);
    expect(dropSuperseded).toBe(false);
  });

  it('does not sample a key that it makes', async () => {
    const { overlap, files } = await planWith({ id: null });
    expect(overlap).toMatchObject({ sampled: false, pairs: [] });
    expect(overlap.sentence).toContain('the transform gives id');
    expect(files[0]).toMatchObject({ range: null, keyMin: null, keyMax: null });
  });

  it('sends every row, whatever keys come twice', async () => {
    const twice = [fakeCsv('a.csv', ['id', 'name'], [...rows(0, 50), ...rows(0, 50)])];
    const load = await planWith({ amount: null }, { files: twice }, { strategy: 'partitioned' });
    expect(load).toMatchObject({ strategy: 'partitioned', dropSuperseded: false });
    const own = await planWith({}, { files: twice }, { strategy: 'partitioned', transform: null });
    expect(own.dropSuperseded).toBe(true);
  });
});

describe('a table that is created', () => {
  const typesOf = async (
    columns: Record<string, string | null>,
    load: Partial<LoadRequest> = {},
  ) => {
    const own = { table: 'app.fresh', key: ['id'], ...load };
    const { table: made } = await planWith(columns, newTable, own);
    return Object.fromEntries(made.columns.map(({ name, type }) => [name, type.declared]));
  };

  it('has the types that the transform declares, and text where it declares none', async () => {
    expect(await typesOf({ score: 'double precision', grade: null })).toEqual({
      id: 'bigint',
      name: 'text',
      score: 'double precision',
      grade: 'text',
    });
  });

  it('has no type guessed for a column that the transform changes', async () => {
    expect(await typesOf({ id: null })).toMatchObject({ id: 'text' });
  });

  it('has the types of the job before all', async () => {
    const types = { rating: 'real' };
    const columns = { score: 'rating' };
    expect(await typesOf({ score: 'numeric' }, { types, columns })).toMatchObject({
      rating: 'real',
    });
  });
});

test('a column of a file may not be called __proto__', async () => {
  const files = [fakeCsv('a.csv', ['id', '__proto__'], [])];
  const tables = [table({ columns: [...table().columns, column('__proto__')] })];
  await expect(planWith({ amount: null }, { files, tables })).rejects.toMatchObject({
    code: 'ETL_TRANSFORM',
    record: { facts: { file: 'a.csv', column: '__proto__' } },
  });
});

test('the fingerprint knows the name, the options and the version of the module', () => {
  const source = {
    module: '/a/score.ts',
    options: { a: 1 },
    columns: { score: null },
    version: null,
  };
  const of = (...transform: [(typeof source | { version: string })?]): string => {
    const own = transform[0] === undefined ? null : { ...source, ...transform[0] };
    return fingerprintOf(request(), ['id'], { timeZone: 'UTC' }, own);
  };
  const own = of(source);
  expect(of({ ...source, module: '/b/score.ts' })).toBe(own);
  const others = [
    of(),
    of({ ...source, module: '/a/other.ts' }),
    of({ ...source, options: { a: 2 } }),
    of({ ...source, version: '2' }),
  ];
  expect(new Set([own, ...others]).size).toBe(5);
  expect(of()).toBe(fingerprintOf(request(), ['id'], { timeZone: 'UTC' }));
});
