import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { jobSchema, type Job, type LoadRequest, type Settings } from '../../../src/job/schema.ts';
import { planLoads } from '../../../src/plan/plan.ts';
import type { LedgerEntry } from '../../../src/plan/plan-context.ts';
import type { LoadPlan, Plan } from '../../../src/plan/plan-types.ts';
import type { ParquetDescription } from '../../../src/source/source-file.ts';
import { fakeContext, fakeCsv, SERVER, type FakeFile, type FakeWorld } from './fake-context.ts';
import { column, csvFile, request, table } from './fixtures.ts';

function job(loads: readonly Partial<LoadRequest>[], settings: Partial<Settings> = {}): Job {
  return jobSchema.parse({ loads: loads.map((load) => request(load)), settings });
}

function plan(
  world: FakeWorld,
  load: Partial<LoadRequest> = {},
  settings: Partial<Settings> = {},
): Promise<Plan> {
  return planLoads(job([load], settings), fakeContext(world));
}

async function planOne(
  world: FakeWorld,
  load: Partial<LoadRequest> = {},
  settings: Partial<Settings> = {},
): Promise<LoadPlan> {
  const [first] = (await plan({ tables: [table()], ...world }, load, settings)).loads;
  if (first === undefined) throw new Error('a plan has a load');
  return first;
}

/** A file of rows (id, name) with these ids. */
function ids(name: string, from: number, to: number): FakeFile {
  const rows = Array.from({ length: to - from }, (_, i) => [String(from + i), 'x']);
  return fakeCsv(name, ['id', 'name'], rows);
}

const ENTRY: LedgerEntry = {
  path: '/data/a.csv',
  bytes: 1_000,
  mtimeMs: 1_700_000_000_000,
  contentHash: 'hash',
  fingerprint: '',
  runId: 'r1',
  loadedAt: '2024-01-01T00:00:00.000Z',
  rowsRead: 100,
};

describe('a plan', () => {
  const world = { tables: [table()], files: [ids('a.csv', 0, 100), ids('b.csv', 50, 150)] };

  it('is frozen JSON, and leaves the job as it is', async () => {
    const own = job([{}]);
    const result = await planLoads(own, fakeContext(world));
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(() => ((result.loads[0]?.files[0] as { bytes: number }).bytes = 1)).toThrow(TypeError);
    expect(Object.isFrozen(own.settings)).toBe(false);
    expect(result.createdAt).toBe('2024-05-06T07:08:09.000Z');
  });

  it('tells of each file what it holds and where it goes', async () => {
    const { files, units, key, concurrency } = await planOne(world);
    expect(files[0]).toMatchObject({
      ordinal: 0,
      targets: ['id', 'name'],
      estimatedRows: 100,
      rowsExact: true,
      range: { kind: 'integer', min: '0', max: '99' },
      keyMin: '0',
      keyMax: '99',
      skip: null,
    });
    expect(units.map((unit) => unit.files)).toEqual([[0], [1]]);
    expect(key).toEqual(['id']);
    expect(concurrency).toBe(2);
  });

  it('has the overlap, the conflicts and the costs, and a reason', async () => {
    const load = await planOne(world);
    expect(load.overlap.pairs).toEqual([
      { earlier: 0, later: 1, sharedSampledKeys: 50, share: 0.5 },
    ]);
    expect(load.overlap.multiplicity).toBeCloseTo(200 / 150);
    expect(load.conflicts).toEqual([{ before: 0, after: 1, share: 0.5 }]);
    expect(load.costs.map((cost) => cost.strategy)).toHaveLength(4);
    expect(load.strategy).toBe('hybrid');
    expect(load.reason).toContain('both units share keys, so they are staged at once');
  });

  it('has the same id for the same work, and another for other work', async () => {
    const id = async (own: FakeWorld, load: Partial<LoadRequest> = {}) =>
      (await plan(own, load)).planId;
    const first = await id(world);
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    const later = { now: () => new Date('2030-01-01'), server: { ...SERVER, connectionsUsed: 9 } };
    expect(await id({ ...world, context: later })).toBe(first);
    expect(await id({ ...world, tables: [table({ estimatedRows: 5 })] })).toBe(first);
    expect(await id({ ...world, files: world.files.toReversed() })).not.toBe(first);
    expect(await id({ ...world, tables: [table({ oid: 1 })] })).not.toBe(first);
    expect(await id(world, { onConflict: 'ignore' })).not.toBe(first);
    expect(await id(world, { strategy: 'sequential' })).not.toBe(first);
  });
});

describe('keys are compared as the database compares them', () => {
  const files = [
    fakeCsv('a.csv', ['id', 'name'], [['1.0', 'x']]),
    fakeCsv('b.csv', ['id', 'name'], [['1.00', 'x']]),
  ];

  it('by its hashes', async () => {
    expect((await planOne({ files })).overlap.pairs).toHaveLength(1);
  });

  it('by their spelling where a value cannot be hashed', async () => {
    const { overlap } = await planOne({ files, hashes: false });
    expect(overlap.pairs).toEqual([]);
    expect(overlap.sampledKeys).toBe(2);
    const same = [files[0], fakeCsv('b.csv', ['id', 'name'], [['1.0', 'y']])];
    const found = await planOne({
      files: same.filter((file) => file !== undefined),
      hashes: false,
    });
    expect(found.overlap.pairs).toHaveLength(1);
  });

  it('and a NULL in a key is told', async () => {
    const { notices, overlap } = await planOne({
      files: [
        fakeCsv(
          'a.csv',
          ['id', 'name'],
          [
            ['1', 'x'],
            [null, 'y'],
          ],
        ),
      ],
    });
    expect(notices).toEqual([
      'a.csv: 1 of 2 sampled rows have a NULL in their key and will be refused.',
    ]);
    expect(overlap.sampledKeys).toBe(1);
  });
});

describe('without sampling', () => {
  const files = [ids('a.csv', 0, 10), ids('b.csv', 0, 10)];

  it('nothing is known of overlap, and rows are still estimated', async () => {
    const load = await planOne({ files }, {}, { conflictDetection: false });
    expect(load.overlap).toMatchObject({ sampled: false, totalRows: 20 });
    expect(load.overlap.sentence).toContain('conflictDetection is off');
    expect(load.files.map((file) => file.estimatedRows)).toEqual([10, 10]);
    // Of so few rows the proof that keys differ would cost more than merging in order.
    expect(load.strategy).toBe('sequential');
    const unproved = await planOne(
      { files },
      {},
      { conflictDetection: false, deterministic: false },
    );
    expect(unproved.strategy).toBe('full-parallel');
  });

  it('append needs no key', async () => {
    const tables = [table({ uniqueIndexes: [], primaryKey: null })];
    const load = await planOne({ tables, files }, { onConflict: 'append' });
    expect(load.key).toEqual([]);
    expect(load.reason).toContain('append has no key');
  });
});

describe('couplings and columns', () => {
  it('send a load to sequential, visibly', async () => {
    const tables = [table({ rowTriggers: ['audit'] })];
    const load = await planOne({ tables, files: [ids('a.csv', 0, 10), ids('b.csv', 20, 30)] });
    expect(load.strategy).toBe('sequential');
    expect(load.reason).toBe('row trigger audit could make the order matter');
    expect(load.couplings).toHaveLength(1);
    expect(load.costs.filter((cost) => cost.seconds === null)).toHaveLength(3);
  });

  it('that differ between files rule out partitioned', async () => {
    const wide = fakeCsv('w.csv', ['id', 'name', 'amount'], [['1', 'x', '2']]);
    const load = await planOne({ files: [ids('a.csv', 0, 10), wide] });
    const cost = load.costs.find(({ strategy }) => strategy === 'partitioned');
    expect(cost?.seconds).toBeNull();
    expect(cost?.why).toContain('different columns');
    expect(load.units).toHaveLength(2);
  });

  it('tell of defaults, of what is left out and of what is lost', async () => {
    const made = column('made', 'timestamp', { hasDefault: true });
    const tables = [table({ columns: [...table().columns, made, column('at', 'timestamp')] })];
    const description: ParquetDescription = {
      kind: 'parquet',
      columns: [
        { name: 'id', type: { kind: 'integer', bits: 64, signed: true }, nullable: false },
        {
          name: 'at',
          type: { kind: 'timestamp', unit: 'ns', utc: false, int96: false },
          nullable: true,
        },
        { name: 'note', type: { kind: 'string' }, nullable: true },
      ],
      rows: 1,
      rowGroups: [],
      createdBy: null,
    };
    const file = csvFile('p.parquet', { format: 'parquet' });
    const files = [{ file, description, rows: [['1', null, 'x']] }];
    const { notices } = await planOne({ tables, files }, { columns: { note: null } });
    expect(notices).toHaveLength(3);
    expect(notices[0]).toContain('No file brings made');
    expect(notices[1]).toBe('p.parquet, column "at": nanoseconds are rounded to microseconds');
    expect(notices[2]).toBe('Left out as asked for: note.');
  });
});

describe('files that are loaded already', () => {
  it('are in the plan, but in no unit', async () => {
    const files = [ids('a.csv', 0, 10), ids('b.csv', 0, 10)];
    const { fingerprint } = await planOne({ files });
    const ledger = [{ ...ENTRY, fingerprint }];
    const load = await planOne({ files, ledger });
    expect(load.files[0]?.skip).toEqual({ runId: 'r1', loadedAt: ENTRY.loadedAt, rows: 100 });
    expect(load.files[0]?.estimatedRows).toBe(100);
    expect(load.units.map((unit) => unit.files)).toEqual([[1]]);
    expect(load.overlap.sampledKeys).toBe(10);
    const forced = await planOne({ files, ledger, context: { force: true } });
    expect(forced.units).toHaveLength(2);
    const all = await planOne({ files: files.slice(0, 1), ledger });
    expect(all).toMatchObject({ units: [], reason: 'nothing is left to load', concurrency: 1 });
  });
});

describe('several loads', () => {
  it('may go to one table that the first of them creates', async () => {
    const own = job([
      { table: 'fresh', key: ['id'] },
      { table: 'public.fresh', key: null },
    ]);
    const context = fakeContext({ files: [ids('a.csv', 0, 10), ids('b.csv', 0, 10)] });
    const found = [...(await context.source.findFiles([], {} as never))];
    const source = { ...context.source, findFiles: async () => found.splice(0, 1) };
    const result = await planLoads(own, { ...context, source });
    expect(result.loads.map((load) => load.table.create !== null)).toEqual([true, false]);
    expect(result.loads.map((load) => load.key)).toEqual([['id'], ['id']]);
    expect(result.loads[1]?.table).toMatchObject({ oid: null, empty: false, name: 'fresh' });
  });
});

describe('what cannot be planned', () => {
  const files = [ids('a.csv', 0, 10)];
  const broken = (name: string): FakeFile => ({
    ...ids(name, 0, 1),
    description: new EtlError('ETL_FILE_EMPTY', 'The file is empty.', 'x', { file: name }),
  });

  it.each<[string, FakeWorld, Partial<LoadRequest>, string, string]>([
    ['a bad name', { files }, { table: 'a.b.c' }, 'ETL_USAGE', 'not the name of a table'],
    [
      'an old server',
      { files, context: { server: { ...SERVER, versionNumber: 130_004 } } },
      {},
      'ETL_SERVER_VERSION',
      '14 to 18',
    ],
    [
      'a new server',
      { files, context: { server: { ...SERVER, versionNumber: 190_000 } } },
      {},
      'ETL_SERVER_VERSION',
      '14 to 18',
    ],
    [
      'a standby',
      { files, context: { server: { ...SERVER, inRecovery: true } } },
      {},
      'ETL_SERVER',
      'standby',
    ],
    [
      'a slip in columns',
      { files },
      { columns: { nane: 'name' } },
      'ETL_COLUMN_MISSING',
      'Did you mean "name"?',
    ],
    [
      'newest without a column',
      { files },
      { onConflict: 'newest' },
      'ETL_USAGE',
      'which row is newer',
    ],
    [
      'newest by no column',
      { files },
      { onConflict: 'newest', versionColumn: 'at' },
      'ETL_USAGE',
      'no column "at"',
    ],
    [
      'newest by a column that is not brought',
      { files },
      { onConflict: 'newest', versionColumn: 'Amount' },
      'ETL_COLUMN_MISSING',
      'version column',
    ],
    [
      'one broken file',
      { files: [broken('b.csv')] },
      {},
      'ETL_FILE_EMPTY',
      'b.csv: The file is empty.',
    ],
    [
      'two broken files',
      { files: [broken('b.csv'), ...files, broken('c.csv')] },
      {},
      'ETL_FILE_EMPTY',
      '2 problems with 3 files',
    ],
    [
      'two bad headers',
      { files: [fakeCsv('b.csv', ['id', 'x'], []), fakeCsv('c.csv', ['name'], [])] },
      {},
      'ETL_COLUMN_MISSING',
      '2 problems',
    ],
    [
      'no table',
      { files, tables: [] },
      { createTable: false },
      'ETL_TABLE_MISSING',
      'no table app.orders',
    ],
  ])('%s', async (_, world, load, code, message) => {
    const error = await planOne(world, load).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(EtlError);
    expect((error as EtlError).code).toBe(code);
    expect((error as EtlError).message).toContain(message);
  });

  it('says that types of a table that exists change nothing', async () => {
    const { notices } = await planOne({ files }, { types: { name: 'text' } });
    expect(notices[0]).toContain('the types given for name change nothing');
  });
});
