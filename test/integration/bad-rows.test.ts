import { beforeEach, describe, expect, test } from 'vitest';
import type { ErrorCode, ErrorFacts } from '../../src/errors.ts';
import { expectTold, type EtlEnd } from '../support/etl.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';

/**
 * Rows that cannot be loaded: the error names the place, the file is rolled back, files before it
 * are loaded, later ones are not, and once the file is corrected the same command loads the rest.
 */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name varchar(5) not null,
                amount numeric(6,2) check (amount >= 0), parent int references parent);
              insert into ${table} values (1, 'old', 1)`,
  'create table parent (id int primary key)',
);

function run(...words: readonly string[]): Promise<EtlEnd> {
  return scene.run(['*.csv', ...words]);
}

async function ids(): Promise<unknown[]> {
  const found = await scene.db.query(`select id from ${scene.table} order by id`);
  return found.map(({ id }) => id);
}

interface BadFile {
  readonly what: string;
  readonly content: string | Buffer;
  readonly code?: ErrorCode;
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

function expectBad(end: EtlEnd, { code = 'ETL_ROW_INVALID', facts, says }: BadFile): void {
  expectTold(end, code, 1, { file: 'b.csv', ...facts });
  const said = `${end.stdout}${end.stderr}`.replaceAll(/\s+/g, ' ');
  expect(end.error?.sentence).toContain(says);
  expect(said).toContain(says);
  if (facts.line !== undefined) expect(said).toContain(`b.csv line ${facts.line}`);
  expect(end.error?.sentence).not.toMatch(/\bc\d\b/);
}

describe('three files of which the second is bad', () => {
  beforeEach(async () => {
    await scene.write({ 'a.csv': 'id,name\n1,new\n2,b\n' });
    await scene.write({ 'c.csv': 'id,name\n3,z\n9,z\n' });
  });

  test.for([...STAGED, ...MERGED])('$what', async (bad) => {
    await scene.write({ 'b.csv': bad.content });
    const end = await run('--strategy', 'full-parallel', '--concurrency', '3');
    expectBad(end, bad);
    expect(end.report?.status).toBe('failed');
    expect(statusesOf(end.report)).toEqual(['loaded', 'failed', 'not-loaded']);
    expect(filesOf(end.report)[1]?.error).toEqual(end.error);
    expect(end.report?.loads[0]?.totals).toMatchObject({ rowsRead: 2, inserted: 1, updated: 1 });
    const kept = `select id, name from ${scene.table} order by id`;
    expect(await scene.db.query(kept)).toEqual([
      { id: 1, name: 'new' },
      { id: 2, name: 'b' },
    ]);
  });

  test.for([STAGED[0], ...MERGED])(
    'once it is corrected, the rest is loaded: $what',
    async (bad) => {
      await scene.write({ 'b.csv': bad?.content ?? '' });
      const argv = ['--strategy', 'full-parallel', '--concurrency', '3'];
      expect((await run(...argv)).code).toBe(1);
      await scene.write({ 'b.csv': 'id,name\n3,c\n4,d\n' });
      const again = await run(...argv);
      expect([again.code, statusesOf(again.report)]).toEqual([0, ['skipped', 'loaded', 'loaded']]);
      expect(await ids()).toEqual([1, 2, 3, 4, 9]);
    },
  );

  test.for([STAGED[0], MERGED[0]])('partitioned is all or nothing: $what', async (bad) => {
    await scene.write({ 'a.csv': 'id,name,amount\n1,new,1\n2,b,1\n' });
    await scene.write({ 'b.csv': bad?.content ?? '' });
    await scene.write({ 'c.csv': 'id,name,amount\n3,z,1\n9,z,1\n' });
    const end = await run('--strategy', 'partitioned', '--concurrency', '3');
    expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
    expect(end.error?.remedy).not.toBe('');
    expect(statusesOf(end.report)).not.toContain('loaded');
    expect(end.report?.loads[0]?.totals.inserted).toBe(0);
    expect(await ids()).toEqual([1]);
  });
});
