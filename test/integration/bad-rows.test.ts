import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ErrorFacts } from '../../src/errors.ts';
import type { FileReport } from '../../src/run/report-types.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { etl, type EtlEnd } from '../support/etl.ts';

/**
 * Rows that cannot be loaded: the error names the place, the file is rolled back, files before it
 * are loaded, later ones are not, and once the file is corrected the same command loads the rest.
 */
let db: TestDatabase;
let folder: string;
let cases = 0;
let table: string;

beforeAll(async () => {
  db = await createTestDatabase();
  await db.query('create table parent (id int primary key)');
});
afterAll(() => db.drop());
beforeEach(async () => {
  table = `case_${++cases}`;
  folder = await mkdtemp(join(tmpdir(), 'etl-bad-'));
  await db.query(
    `create table ${table} (id int primary key, name varchar(5) not null,
       amount numeric(6,2) check (amount >= 0), parent int references parent)`,
  );
  await db.query(`insert into ${table} values (1, 'old', 1)`);
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  await expectNoLeaks(db.url);
});

async function write(name: string, content: string | Buffer): Promise<void> {
  await writeFile(join(folder, name), content);
}

function run(...argv: readonly string[]): Promise<EtlEnd> {
  const where = argv.includes('--table') ? [] : ['--table', table];
  return etl(['run', '*.csv', ...where, ...argv, '--database-url', db.url], { cwd: folder });
}

async function ids(): Promise<unknown[]> {
  const found = await db.query(`select id from ${table} order by id`);
  return found.map(({ id }) => id);
}

function files(end: EtlEnd): readonly FileReport[] {
  return end.report?.loads[0]?.files ?? [];
}

function statuses(end: EtlEnd): string[] {
  return files(end).map((file) => file.status);
}

interface BadFile {
  readonly what: string;
  readonly content: string | Buffer;
  readonly code?: string;
  readonly facts: ErrorFacts;
  readonly says: string;
}

/** So many that the planner, which looks at the beginning, does not find what comes after them. */
const MANY_LINES = `id,name\n${'3,many\n'.repeat(20_000)}`;

const STAGED: readonly BadFile[] = [
  {
    what: 'a value of another type',
    content: 'id,amount,name\n3,1,c\n4,"12,50",d\n',
    facts: { line: 3, column: 'amount', value: '12,50', sqlState: '22P02' },
    says: 'invalid input syntax for type numeric: "12,50"',
  },
  {
    what: 'a bad value after records of several lines',
    content: 'id,name\n3,"a\nb"\n\n4,"c\nd"\nfive,e\n',
    facts: { line: 7, column: 'id', value: 'five' },
    says: 'invalid input syntax for type integer',
  },
  {
    what: 'too few fields',
    content: 'id,name,amount\n3,c,1\n4,d\n',
    code: 'ETL_CSV_MALFORMED',
    facts: { line: 3 },
    says: 'it has 2 fields, the header has 3',
  },
  {
    what: 'too many fields',
    content: 'id,name,amount\n3,c,1\n4,d,1,2\n',
    code: 'ETL_CSV_MALFORMED',
    facts: { line: 3 },
    says: 'it has 4 fields, the header has 3',
  },
  {
    what: 'a quote that never closes',
    content: 'id,name\n3,c\n4,"d\n5,e\n',
    code: 'ETL_CSV_MALFORMED',
    facts: { line: 3 },
    says: 'A quote opens here and never closes',
  },
  {
    what: 'a quote that swallows a line end',
    content: 'id,name\n3,c\n4,d"e\n5,f"g\n6,h\n',
    code: 'ETL_CSV_MALFORMED',
    facts: { line: 3 },
    says: 'A quote in the middle of a field',
  },
  {
    what: 'a NUL byte',
    content: `${MANY_LINES}4,d\0\n`,
    code: 'ETL_CSV_MALFORMED',
    facts: { line: 20_002 },
    says: 'it has a NUL byte',
  },
  {
    what: 'bytes that are not UTF-8',
    content: Buffer.from(`${MANY_LINES}4,caf\u00e9\n`, 'latin1'),
    code: 'ETL_CSV_MALFORMED',
    facts: { line: 20_002 },
    says: 'it has bytes that are not utf8',
  },
  {
    what: 'a text too long for its column',
    content: 'id,name\n3,c\n4,too long\n',
    facts: { line: 3, column: 'name', value: 'too long', sqlState: '22001' },
    says: 'value too long for type character varying(5)',
  },
  {
    what: 'a number too large for its column',
    content: 'id,name,amount\n3,c,1\n4,d,12345\n',
    facts: { line: 3, column: 'amount', value: '12345', sqlState: '22003' },
    says: 'numeric field overflow',
  },
  {
    what: 'an integer out of range',
    content: 'id,name\n3,c\n3000000000,d\n',
    facts: { line: 3, column: 'id', value: '3000000000', sqlState: '22003' },
    says: 'out of range for type integer',
  },
  {
    what: 'NULL where the column forbids it',
    content: 'id,name\n3,c\n4,\n',
    facts: { line: 3, column: 'name', sqlState: '23502' },
    says: 'null value in column "name" violates not-null constraint',
  },
  {
    what: 'NULL in the key',
    content: 'id,name\n3,c\n,d\n',
    facts: { line: 3, column: 'id', sqlState: '23502' },
    says: 'null value in column "id"',
  },
  {
    what: 'the end-of-data mark of COPY as a record',
    content: 'id,name\n3,c\n\\.\n4,d\n',
    code: 'ETL_CSV_MALFORMED',
    facts: { line: 3 },
    says: 'it has 1 field, the header has 2',
  },
];

const MERGED: readonly BadFile[] = [
  {
    what: 'a CHECK that is violated',
    content: 'id,name,amount\n3,c,1\n4,d,-1\n',
    facts: { sqlState: '23514', constraint: expect.stringContaining('amount_check') as string },
    says: 'violates check constraint',
  },
  {
    what: 'a foreign key that is violated',
    content: 'id,name,parent\n3,c,\n4,d,7\n',
    facts: { sqlState: '23503', constraint: expect.stringContaining('parent_fkey') as string },
    says: 'violates foreign key constraint',
  },
];

/** Says the place and the way out, without the inner names of the engine and without a stack. */
function expectTold(end: EtlEnd, bad: BadFile): void {
  const said = `${end.stdout}${end.stderr}`.replaceAll(/\s+/g, ' ');
  const { code = 'ETL_ROW_INVALID', facts } = bad;
  if (process.env['SHOW']) console.log(end.stderr + end.stdout);
  expect({ exit: end.code, code: end.error?.code, said }).toEqual({ exit: 1, code, said });
  expect(end.error?.facts).toMatchObject({ file: 'b.csv', ...facts });
  expect(end.error?.remedy).not.toBe('');
  expect(end.error?.sentence).toContain(bad.says);
  expect(said).toContain(bad.says);
  if (facts.line !== undefined) expect(said).toContain(`b.csv line ${facts.line}`);
  expect(`${end.error?.sentence ?? ''}${end.stderr}`).not.toMatch(/\n\s+at |etl_|\bc\d\b|pg_temp/);
}

describe('three files of which the second is bad', () => {
  beforeEach(async () => {
    await write('a.csv', 'id,name\n1,new\n2,b\n');
    await write('c.csv', 'id,name\n3,z\n9,z\n');
  });

  test.for([...STAGED, ...MERGED])('$what', async (bad) => {
    await write('b.csv', bad.content);
    const end = await run('--strategy', 'full-parallel', '--concurrency', '3');
    expectTold(end, bad);
    expect(end.report?.status).toBe('failed');
    expect(statuses(end)).toEqual(['loaded', 'failed', 'not-loaded']);
    expect(files(end)[1]?.error).toEqual(end.error);
    expect(end.report?.loads[0]?.totals).toMatchObject({ rowsRead: 2, inserted: 1, updated: 1 });
    const kept = `select id, name from ${table} order by id`;
    expect(await db.query(kept)).toEqual([
      { id: 1, name: 'new' },
      { id: 2, name: 'b' },
    ]);

    await write('b.csv', 'id,name\n3,c\n4,d\n');
    const again = await run('--strategy', 'full-parallel', '--concurrency', '3');
    expect([again.code, statuses(again)]).toEqual([0, ['skipped', 'loaded', 'loaded']]);
    expect(await ids()).toEqual([1, 2, 3, 4, 9]);
  });

  test.for([STAGED[0], MERGED[0]])('partitioned is all or nothing: $what', async (bad) => {
    await write('a.csv', 'id,name,amount\n1,new,1\n2,b,1\n');
    await write('b.csv', 'id,name,amount\n3,c,1\n4,d,-1\n');
    if (bad === undefined || bad.facts.column !== undefined) {
      await write('b.csv', 'id,name,amount\n3,c,1\n4,d,"12,50"\n');
    }
    await write('c.csv', 'id,name,amount\n3,z,1\n9,z,1\n');
    const end = await run('--strategy', 'partitioned', '--concurrency', '3');
    expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
    expect(end.error?.remedy).not.toBe('');
    expect(statuses(end)).not.toContain('loaded');
    expect(end.report?.loads[0]?.totals.inserted).toBe(0);
    expect(await ids()).toEqual([1]);
  });
});

describe('a group of small files in one unit', () => {
  beforeEach(async () => {
    for (const [place, name] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
      await write(`${name}.csv`, `id,name,amount\n1,${name},1\n${place + 2},${name},1\n`);
    }
  });

  test.for([
    ['at staging', 'id,name,amount\n1,c,1\n4,c,much\n', { line: 3, column: 'amount' }],
    ['at the merge', 'id,name,amount\n1,c,1\n4,c,-4\n', { sqlState: '23514' }],
  ] as const)('the third is bad %s', async ([, content, facts]) => {
    await write('c.csv', content);
    const end = await run('--concurrency', '1');
    expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
    expect(end.error?.facts).toMatchObject({ file: 'c.csv', ...facts });
    const none = 'not-loaded';
    expect(statuses(end)).toEqual(['loaded', 'loaded', 'failed', none, none, none]);
    expect(end.report?.loads[0]?.totals.rowsRead).toBe(4);
    expect(await db.query(`select id, name from ${table} order by id`)).toEqual([
      { id: 1, name: 'b' },
      { id: 2, name: 'a' },
      { id: 3, name: 'b' },
    ]);

    await write('c.csv', 'id,name,amount\n1,c,1\n4,c,4\n');
    const again = await run('--concurrency', '1');
    const l = 'loaded';
    expect(statuses(again)).toEqual(['skipped', 'skipped', l, l, l, l]);
    expect(await ids()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const [one] = await db.query(`select name from ${table} where id = 1`);
    expect(one).toEqual({ name: 'f' });
  });
});

test('a file with only a header loads no rows', async () => {
  await write('a.csv', 'id,name\n');
  await write('b.csv', 'id,name\n2,b\n');
  const end = await run('--concurrency', '2');
  expect([end.code, statuses(end)]).toEqual([0, ['loaded', 'loaded']]);
  expect(files(end)[0]).toMatchObject({ rowsRead: 0, inserted: 0 });
  expect(await ids()).toEqual([1, 2]);
});

test('the end-of-data mark of COPY is a value where it is one', async () => {
  await db.query(`create table ${table}_text (line text primary key)`);
  await write('a.csv', 'line\nbefore\n\\.\nafter\n');
  const end = await run('--table', `${table}_text`);
  expect([end.code, end.stderr]).toEqual([0, '']);
  const lines = await db.query(`select line from ${table}_text order by line collate "C"`);
  expect(lines.map(({ line }) => line)).toEqual(['\\.', 'after', 'before']);
});

test('a nullable column as key: a NULL in it is refused, not merged with another NULL', async () => {
  await db.query(`create table ${table}_null (code text unique, n int)`);
  await write('a.csv', 'code,n\nx,1\n,2\n,3\n');
  const end = await run('--table', `${table}_null`, '--key', 'code');
  expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
  expect(end.error?.facts).toMatchObject({ file: 'a.csv', line: 3, column: 'code' });
  expect(await db.query(`select * from ${table}_null`)).toEqual([]);
});

test('a foreign key that is checked at COMMIT fails the file like one that is checked at once', async () => {
  await db.query(
    `create table ${table}_late (id int primary key,
       parent int references parent deferrable initially deferred)`,
  );
  await write('a.csv', 'id,parent\n1,\n');
  await write('b.csv', 'id,parent\n1,7\n');
  const end = await run('--table', `${table}_late`, '--concurrency', '2');
  expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
  expect(end.error?.facts).toMatchObject({ file: 'b.csv', sqlState: '23503' });
  expect(await db.query(`select * from ${table}_late`)).toEqual([{ id: 1, parent: null }]);
});

test('append into a table with a primary key: a key that comes twice fails the later file', async () => {
  await write('a.csv', 'id,name\n5,a\n6,a\n');
  await write('b.csv', 'id,name\n6,b\n7,b\n');
  await write('c.csv', 'id,name\n8,c\n');
  const end = await run('--on-conflict', 'append', '--concurrency', '3');
  expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
  expect(end.error?.facts).toMatchObject({ file: 'b.csv', sqlState: '23505' });
  expect(statuses(end)).toEqual(['loaded', 'failed', 'not-loaded']);
  expect(await ids()).toEqual([1, 5, 6]);
});
