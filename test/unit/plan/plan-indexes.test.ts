import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { indexSchema, type IndexRequest } from '../../../src/job/index-schema.ts';
import { planIndexes } from '../../../src/plan/plan-indexes.ts';
import type { IndexPlan } from '../../../src/plan/plan-types.ts';
import { fakeContext, type FakeWorld } from './fake-context.ts';
import { column, table } from './fixtures.ts';

const ORDERS = table();
const PLANNED = { ...ORDERS, create: null };

function index(more: Partial<IndexRequest>): IndexRequest {
  return indexSchema.parse({ columns: ['name'], ...more });
}

function planOf(indexes: readonly IndexRequest[], world: FakeWorld = {}): Promise<IndexPlan[]> {
  return planIndexes(indexes, { planned: PLANNED, existing: ORDERS }, fakeContext(world));
}

async function namesOf(...indexes: Partial<IndexRequest>[]): Promise<string[]> {
  return (await planOf(indexes.map(index))).map(({ name }) => name);
}

async function problemOf(indexes: Partial<IndexRequest>[], world?: FakeWorld): Promise<EtlError> {
  const error: unknown = await planOf(indexes.map(index), world).catch((e: unknown) => e);
  if (!(error instanceof EtlError)) throw new Error('the plan was to be refused');
  return error;
}

describe('the indexes of a plan', () => {
  it('are written with quoted names, options behind them, and expressions as given', async () => {
    const columns = ['Name', 'amount desc nulls last', 'lower(name)'];
    const [plan] = await planOf([index({ columns, where: "name > 'x'" })]);
    expect(plan?.using).toBe(
      `btree ("name", "amount" desc nulls last, lower(name)) where (name > 'x')`,
    );
  });

  it('have the name that PostgreSQL would give, told apart where columns do not', async () => {
    expect(await namesOf({ columns: ['name', 'amount'] })).toEqual(['orders_name_amount_idx']);
    const names = await namesOf(
      {},
      { unique: true },
      { where: 'amount > 1' },
      { method: 'hash' },
      { columns: ['lower(name)'] },
    );
    expect(new Set(names).size).toBe(5);
    expect(names[4]).toMatch(/^orders_lower_name_[0-9a-f]{8}_idx$/);
    expect(await namesOf({}, { unique: true })).toEqual(names.slice(0, 2));
  });

  it('have a name of whole characters that fits into 63 bytes', async () => {
    const long = 'ä'.repeat(31);
    const planned = { ...PLANNED, columns: [column(long)] };
    const target = { planned, existing: ORDERS };
    const [plan] = await planIndexes([index({ columns: [long] })], target, fakeContext({}));
    expect(plan?.name).toMatch(/^orders_ä+_[0-9a-f]{8}_idx$/);
    expect(Buffer.byteLength(plan?.name ?? '')).toBeLessThanOrEqual(63);
    expect(Buffer.byteLength(plan?.name ?? '')).toBeGreaterThan(60);
  });

  it('are there under whatever name', async () => {
    const world = { indexes: [{ name: 'by_name', using: 'btree ("name")' }] };
    const plans = await planOf([index({}), index({ columns: ['amount'] })], world);
    expect(plans.map(({ there }) => there)).toEqual(['by_name', null]);
  });

  it('are refused with the nearest column, or a name that is too long, or twice', async () => {
    expect((await problemOf([{ columns: ['nmae'] }])).record.sentence).toContain(
      'app.orders has no column "nmae" for an index. Did you mean "name"?',
    );
    expect((await problemOf([{ name: 'x'.repeat(64) }])).record.sentence).toContain('63 bytes');
    expect((await problemOf([{}, {}])).record.sentence).toContain('asked for twice');
  });

  it('are the business of the owner, unless they are there', async () => {
    const { record } = await problemOf([{}], { owned: false });
    expect(record).toMatchObject({ code: 'ETL_PRIVILEGE' });
    const there = [{ name: 'by_name', using: 'btree ("name")' }];
    expect(await planOf([index({})], { owned: false, indexes: there })).toHaveLength(1);
  });
});
