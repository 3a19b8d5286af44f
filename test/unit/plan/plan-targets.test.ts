import { describe, expect, it } from 'vitest';
import { jobSchema, type LoadRequest } from '../../../src/job/schema.ts';
import { targetSchema, type TargetRequest } from '../../../src/job/target-schema.ts';
import { planLoads } from '../../../src/plan/plan.ts';
import type { LoadPlan } from '../../../src/plan/plan-types.ts';
import type { TargetTable } from '../../../src/target/table.ts';
import { fakeContext, fakeCsv, type FakeFile, type FakeWorld } from './fake-context.ts';
import { column, request, table } from './fixtures.ts';

const NAMES: TargetTable = table({
  oid: 4712,
  name: 'names',
  sqlName: 'app.names',
  columns: [column('name', 'text', { notNull: true })],
  primaryKey: ['name'],
  uniqueIndexes: [{ name: 'names_pkey', columns: ['name'], primary: true, arbiter: true }],
});

const target = (more: Partial<TargetRequest> = {}): TargetRequest => ({
  ...targetSchema.parse({ table: 'app.names', onConflict: 'ignore' }),
  ...more,
});

/** Files of rows (id, name): ids that never meet, and as many names as asked for. */
function file(ordinal: number, names: number): FakeFile {
  const rows = Array.from({ length: 100 }, (_, row) => [
    String(ordinal * 1_000 + row),
    String(row % names),
  ]);
  return fakeCsv(`${ordinal}.csv`, ['id', 'name'], rows);
}

async function planOne(load: Partial<LoadRequest> = {}, world: FakeWorld = {}): Promise<LoadPlan> {
  const files = [file(0, 100), file(1, 100)];
  const job = jobSchema.parse({ loads: [request({ targets: [target()], ...load })] });
  const context = fakeContext({ tables: [table(), NAMES], files, ...world });
  const [first] = (await planLoads(job, context)).loads;
  if (first === undefined) throw new Error('a plan has a load');
  return first;
}

describe('the plan of a load with several targets', () => {
  it('maps each file to each table, and leaves out what a further one lacks', async () => {
    const { targets, files, notices } = await planOne();
    expect(targets).toMatchObject([
      { table: { sqlName: 'app.names' }, key: ['name'], onConflict: 'ignore', where: null },
    ]);
    expect(files.map(({ targets: own, further }) => [own, further])).toEqual(
      Array(2).fill([['id', 'name'], [[null, 'name']]]),
    );
    expect(notices.join(' ')).not.toContain('Left out');
  });

  it('takes the file pipeline: no direct copy, no twin, no parts, and not partitioned', async () => {
    const world = { above: true };
    expect((await planOne({ targets: [] }, world)).units[0]?.direct).toBeDefined();
    const plan = await planOne({}, world);
    expect(plan.units.every(({ direct, part }) => direct === undefined && part === null)).toBe(
      true,
    );
    expect(plan.fillBeforeKey).toBe(false);
    expect(plan.costs.find(({ strategy }) => strategy === 'partitioned')).toMatchObject({
      seconds: null,
      why: expect.stringContaining('several tables') as string,
    });
  });

  it('samples the keys of the first table that has some', async () => {
    const plan = await planOne({ onConflict: 'append' });
    expect(plan.overlap).toMatchObject({ sampled: true, pairs: [{ earlier: 0, later: 1 }] });
    expect(plan.conflicts).toHaveLength(1);
    const alone = await planOne({ onConflict: 'append', targets: [] });
    expect(alone.overlap.sampled).toBe(false);
  });

  it('is sequential where any table couples rows, or one refers to another', async () => {
    const coupled = {
      ...NAMES,
      rowTriggers: ['audit'],
    };
    expect((await planOne({}, { tables: [table(), coupled] })).strategy).toBe('sequential');
    const referring = await planOne({}, { foreignKeys: ['orders_name_fkey'] });
    expect(referring).toMatchObject({
      strategy: 'sequential',
      couplings: [{ kind: 'foreign key', name: 'orders_name_fkey' }],
    });
  });

  it('tells of a further table that lacks what is loaded', async () => {
    const { fingerprint } = await planOne();
    const loaded = [0, 1].map((ordinal) => ({
      ...{ path: `/data/${ordinal}.csv`, bytes: 1_000, mtimeMs: 1_700_000_000_000 },
      ...{ contentHash: 'hash', fingerprint, runId: 'r1', rowsRead: 100 },
      loadedAt: '2024-01-01T00:00:00.000Z',
    }));
    const empty = { ...NAMES, empty: true };
    const plan = await planOne({}, { ledger: loaded, tables: [table(), empty] });
    expect(plan.units).toEqual([]);
    expect(plan.notices.join(' ')).toContain('app.names is empty, though 200 rows of 2 files');
  });

  it.each<[string, Partial<LoadRequest>, string]>([
    ['the table twice', { targets: [target({ table: 'app."orders"', key: ['id'] })] }, 'twice'],
    ['no such key', { targets: [target({ key: ['nmae'] })] }, 'Did you mean "name"'],
    ['no such column', { targets: [target({ columns: { nmae: 'name' } })] }, 'Did you mean "name"'],
    [
      'a key that no file brings',
      { targets: [target({ columns: { name: null } })] },
      'each file must bring the key',
    ],
  ])('refuses %s', async (_, load, sentence) => {
    await expect(planOne(load)).rejects.toThrow(sentence);
  });
});
