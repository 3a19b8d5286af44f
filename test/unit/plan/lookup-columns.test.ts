import { describe, expect, it } from 'vitest';
import { jobSchema, type LoadRequest } from '../../../src/job/schema.ts';
import { planLoads } from '../../../src/plan/plan.ts';
import type { PlanContext } from '../../../src/plan/plan-context.ts';
import type { LoadPlan } from '../../../src/plan/plan-types.ts';
import { withPlannedLookups } from '../../../src/plan/lookup-columns.ts';
import type { TargetTable } from '../../../src/target/table.ts';
import { fakeContext, fakeCsv, type FakeFile } from './fake-context.ts';
import { column, request, table } from './fixtures.ts';

/** What the planner makes of columns that are looked up. */
const COMPANIES = table({
  oid: 4712,
  name: 'companies',
  sqlName: 'app.companies',
  columns: [
    column('id', 'int8', { notNull: true, hasDefault: true }),
    column('symbol', 'text', { notNull: true }),
  ],
  uniqueIndexes: [
    { name: 'companies_pkey', columns: ['id'], primary: true, arbiter: true },
    { name: 'companies_symbol_key', columns: ['symbol'], primary: false, arbiter: true },
  ],
});
const PRICES = table({
  name: 'prices',
  sqlName: 'app.prices',
  columns: [column('company_id', 'int8', { notNull: true }), column('price', 'int4')],
  primaryKey: ['company_id'],
  uniqueIndexes: [{ name: 'prices_pkey', columns: ['company_id'], primary: true, arbiter: true }],
});
const LOOKUP = {
  ...{ column: 'symbol', table: 'app.companies', match: 'symbol', into: 'company_id' },
  ...{ id: null, fold: null, insertMissing: true, set: {}, required: null },
};

async function planned(
  files: readonly FakeFile[],
  load: Partial<LoadRequest> = {},
  tables: readonly TargetTable[] = [COMPANIES, PRICES],
): Promise<LoadPlan> {
  const context = fakeContext({ files, tables, above: true });
  // A database that hashes texts by their spelling.
  const hashKeys: PlanContext['catalog']['hashKeys'] = async (_types, rows) =>
    Float64Array.from(rows, (key) =>
      key.includes(null) ? NaN : Number.parseInt(Buffer.from(key.join()).toString('hex'), 16),
    );
  const job = jobSchema.parse({
    loads: [request({ table: 'app.prices', lookups: [LOOKUP], ...load })],
  });
  const { loads } = await planLoads(job, {
    ...context,
    catalog: { ...context.catalog, hashKeys },
  });
  const [first] = loads;
  if (first === undefined) throw new Error('a plan has a load');
  return first;
}

function prices(name: string, symbols: readonly string[]): FakeFile {
  return fakeCsv(
    name,
    ['symbol', 'price'],
    symbols.map((symbol) => [symbol, '1']),
  );
}

describe('a column that is looked up', () => {
  it('is brought by the file, and known to the table’s column', async () => {
    const load = await planned([prices('a.csv', ['A', 'B'])]);
    expect(load.files[0]?.targets).toEqual(['company_id', 'price']);
    expect(load.table.columns[0]).toMatchObject({
      name: 'company_id',
      lookup: { sqlName: 'app.companies', match: { name: 'symbol' }, id: 'id' },
    });
    expect(load.notices.join(' ')).toContain('created there');
  });

  it('stands for its id in the sample, folded as the lookup does', async () => {
    const files = [prices('a.csv', ['aa', 'bb']), prices('b.csv', ['AA', 'CC'])];
    expect((await planned(files)).overlap.pairs).toEqual([]);
    const folded = await planned(files, { lookups: [{ ...LOOKUP, fold: 'upper' }] });
    expect(folded.overlap.pairs).toMatchObject([{ earlier: 0, later: 1, sharedSampledKeys: 1 }]);
  });

  it('has no range, since that of the values is none of the ids', async () => {
    const load = await planned([prices('a.csv', ['A', 'B'])]);
    expect(load.files[0]).toMatchObject({ range: null, keyMin: 'A', keyMax: 'B' });
    expect(load.units[0]?.range).toBeNull();
  });

  it('is always staged, and no row is left out before', async () => {
    const rising = [prices('a.csv', ['A', 'B']), prices('b.csv', ['C', 'D'])];
    expect((await planned(rising)).units.map(({ direct }) => direct)).toEqual([
      undefined,
      undefined,
    ]);
    const same = Array.from({ length: 6 }, (_, n) => prices(`${n}.csv`, ['A', 'B', 'A']));
    const load = await planned(same, { strategy: 'partitioned' });
    expect(load).toMatchObject({ strategy: 'partitioned', dropSuperseded: false });
    const files = [
      prices(
        'a.csv',
        Array.from({ length: 20_000 }, (_, n) => `S${n}`),
      ),
    ];
    const fresh = await planned(files, { key: ['company_id'] }, [COMPANIES]);
    expect(fresh.table.create).toContain('company_id bigint not null');
    expect(fresh.fillBeforeKey).toBe(false);
  });

  it('takes columns of created rows out of the files, and shares a staging with who has them, too', async () => {
    const files = [
      fakeCsv('a.csv', ['symbol', 'price', 'rating'], [['A', '1', '2']]),
      fakeCsv('b.csv', ['symbol', 'price'], [['A', '1']]),
      fakeCsv('c.csv', ['price', 'symbol', 'rating'], [['1', 'A', '3']]),
    ];
    const rated = { ...COMPANIES, columns: [...COMPANIES.columns, column('rating', 'int4')] };
    const load = await planned(files, { lookups: [{ ...LOOKUP, set: { rating: 'rating' } }] }, [
      ...[rated, PRICES],
    ]);
    expect(load.files.map(({ targets, further }) => [targets, further])).toEqual([
      [['company_id', 'price', null], [[null, null, 'rating']]],
      [['company_id', 'price'], [[null, null]]],
      [['price', 'company_id', null], [[null, null, 'rating']]],
    ]);
    expect(load.table.columns[0]?.lookup?.set).toMatchObject({
      view: 0,
      columns: [{ name: 'rating', notNull: false }],
    });
    expect(load.notices.join(' ')).toContain('their rating is that of the first row');
    // The price goes to both where both have one.
    const priced = { ...COMPANIES, columns: [...COMPANIES.columns, column('price', 'int4')] };
    const both = await planned(
      files,
      { lookups: [{ ...LOOKUP, set: { price: 'price' } }], columns: { rating: null } },
      [...[priced, PRICES]],
    );
    expect(both.files[1]).toMatchObject({
      targets: ['company_id', 'price'],
      further: [[null, 'price']],
    });
  });

  it('changes what loading a file means, and nothing where there is none', async () => {
    const files = [prices('a.csv', ['A'])];
    const one = await planned(files);
    const required = await planned(files, { lookups: [{ ...LOOKUP, required: true }] });
    expect(required.fingerprint).not.toBe(one.fingerprint);
    const folded = await planned(files, { lookups: [{ ...LOOKUP, fold: 'lower' }] });
    expect(folded.fingerprint).not.toBe(one.fingerprint);
  });
});

it('lookups that were planned are laid over the columns as they are now', () => {
  const [id, price] = PRICES.columns;
  if (id === undefined || price === undefined) throw new Error('two columns');
  const lookup = {
    ...{ schema: 'app', table: 'companies', sqlName: 'app.companies', id: 'id' },
    ...{ match: column('symbol'), fold: null, insertMissing: false },
  };
  const now = [{ ...id, notNull: false }, price];
  expect(withPlannedLookups(now, { columns: [{ ...id, lookup }, price] })).toEqual([
    { ...id, notNull: false, lookup },
    price,
  ]);
});
