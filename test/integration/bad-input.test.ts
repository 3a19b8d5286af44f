import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ErrorCode, ErrorFacts } from '../../src/errors.ts';
import { etl, expectTold } from '../support/etl.ts';
import { useScene } from '../support/scene.ts';

/** Bad input gets a clear error and loses nothing. Through the command line, on real PostgreSQL. */
const scene = useScene(() => 'select 1', 'create table parent (id int primary key)');

const COLUMNS = `(id int primary key, name varchar(5) not null, amount numeric(6,2) check (amount >= 0),
                  parent int references parent)`;

async function createTable(columns = COLUMNS): Promise<void> {
  await scene.db.query(`create table ${scene.table} ${columns}`);
}

interface Refusal {
  readonly what: string;
  /** Null: there is no table. */
  readonly columns?: string | null;
  readonly files: Readonly<Record<string, string | Buffer>>;
  readonly argv: readonly string[];
  readonly code: ErrorCode;
  readonly exit?: number;
  readonly facts?: ErrorFacts;
  readonly says?: string;
}

describe('refused before anything begins', () => {
  const refusals: readonly Refusal[] = [
    {
      what: 'no such file',
      files: { 'orders-1.csv': 'id,name\n1,a\n' },
      argv: ['orders-2.csv'],
      code: 'ETL_FILE_NOT_FOUND',
      facts: { file: expect.stringMatching(/orders-2.csv$/) as string },
      says: 'orders-1.csv',
    },
    {
      what: 'a pattern that finds nothing',
      files: {},
      argv: ['*.csv'],
      code: 'ETL_FILE_NOT_FOUND',
    },
    {
      what: 'an empty file beside a good one',
      files: { 'a.csv': 'id,name\n1,a\n', 'b.csv': '' },
      argv: ['*.csv'],
      code: 'ETL_FILE_EMPTY',
      facts: { file: 'b.csv' },
    },
    {
      what: 'a directory',
      files: {},
      argv: ['sub.csv'],
      code: 'ETL_FILE_FORMAT',
      facts: { file: expect.stringMatching(/sub.csv$/) as string },
    },
    {
      what: 'a header that does not match',
      files: { 'a.csv': 'id,name,amuont\n1,a,2\n' },
      argv: ['a.csv'],
      code: 'ETL_COLUMN_MISSING',
      facts: { file: 'a.csv', column: 'amuont' },
      says: 'amount',
    },
    {
      what: 'two columns of one name',
      files: { 'a.csv': 'id,name,name\n1,a,b\n' },
      argv: ['a.csv'],
      code: 'ETL_COLUMN_DUPLICATE',
      facts: { file: 'a.csv', column: 'name' },
    },
    {
      what: 'a file without the key',
      files: { 'a.csv': 'name\na\n' },
      argv: ['a.csv'],
      code: 'ETL_COLUMN_MISSING',
      facts: { file: 'a.csv', column: 'id' },
    },
    {
      what: 'a file without a NOT NULL column',
      files: { 'a.csv': 'id\n1\n' },
      argv: ['a.csv'],
      code: 'ETL_COLUMN_MISSING',
      facts: { file: 'a.csv', column: 'name' },
    },
    {
      what: 'a key that is not unique in the catalog',
      files: { 'a.csv': 'id,name\n1,a\n' },
      argv: ['a.csv', '--key', 'name'],
      code: 'ETL_KEY_INVALID',
      says: 'add unique (name)',
    },
    {
      what: 'a key that the table does not have',
      files: { 'a.csv': 'id,name\n1,a\n' },
      argv: ['a.csv', '--key', 'idd'],
      code: 'ETL_KEY_INVALID',
      facts: { column: 'idd' },
      says: 'id',
    },
    {
      what: 'a table without a primary key',
      columns: '(id int, name text)',
      files: { 'a.csv': 'id,name\n1,a\n' },
      argv: ['a.csv'],
      code: 'ETL_KEY_INVALID',
      says: '--on-conflict append',
    },
    {
      what: 'no such table and --no-create-table',
      columns: null,
      files: { 'a.csv': 'id,name\n1,a\n' },
      argv: ['a.csv', '--no-create-table'],
      code: 'ETL_TABLE_MISSING',
    },
    {
      what: 'a table to be created without a key',
      columns: null,
      files: { 'a.csv': 'id,name\n1,a\n' },
      argv: ['a.csv'],
      code: 'ETL_KEY_INVALID',
      says: '--key',
    },
    {
      what: 'a Parquet file that is cut off',
      files: { 'a.parquet': Buffer.from('PAR1 and then nothing that could be a footer') },
      argv: ['a.parquet'],
      code: 'ETL_PARQUET_CORRUPT',
      exit: 1,
      facts: { file: 'a.parquet' },
      says: 'cut off',
    },
    {
      what: 'a Parquet file whose footer is damaged',
      files: { 'a.parquet': Buffer.from('PAR1\u00ff\u00ff\u00ff\u00ff\u0004\0\0\0PAR1', 'latin1') },
      argv: ['a.parquet'],
      code: 'ETL_PARQUET_CORRUPT',
      exit: 1,
      facts: { file: 'a.parquet' },
    },
    {
      what: 'a CSV file that calls itself Parquet',
      files: { 'a.parquet': 'id,name\n1,a\n' },
      argv: ['a.parquet'],
      code: 'ETL_FILE_FORMAT',
      facts: { file: 'a.parquet' },
    },
    {
      what: 'a file that looks binary',
      files: { 'a.csv': 'id,name\n1,a\0\n' },
      argv: ['a.csv'],
      code: 'ETL_FILE_FORMAT',
      facts: { file: 'a.csv' },
      says: 'NUL byte',
    },
    {
      what: 'an unknown extension',
      files: { 'a.xlsx': 'id,name\n1,a\n' },
      argv: ['a.xlsx'],
      code: 'ETL_FILE_FORMAT',
      facts: { file: 'a.xlsx' },
    },
    {
      what: 'a damaged gzip file',
      files: { 'a.csv.gz': Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]) },
      argv: ['a.csv.gz'],
      code: 'ETL_COMPRESSED',
      exit: 1,
      facts: { file: 'a.csv.gz' },
    },
    {
      what: 'a view',
      files: { 'a.csv': 'id,name\n1,a\n' },
      argv: ['a.csv', '--table', 'pg_catalog.pg_tables'],
      code: 'ETL_TABLE_MISSING',
    },
  ];
  test.for(refusals)(
    '$what',
    async ({ columns = COLUMNS, files, argv, code, exit = 2, facts, says }) => {
      if (columns !== null) await createTable(columns);
      await mkdir(join(scene.folder, 'sub.csv'));
      await scene.write(files);
      const end = await scene.run(argv);
      expectTold(end, code, exit, facts);
      expect(end.stderr.replaceAll(/\s+/g, ' ')).toContain(says ?? '');
      expect(end.report).toBeNull();
      if (columns !== null)
        expect(await scene.db.query(`select * from ${scene.table}`)).toEqual([]);
      const left = `select to_regclass('${scene.table}') is not null as made`;
      expect(await scene.db.query(left)).toEqual([{ made: columns !== null }]);
    },
  );

  test('problems of several files are told together', async () => {
    await createTable();
    await scene.write({
      'a.csv': 'id,name,x\n1,a,1\n',
      'b.csv': 'id,name\n1,a\n',
      'c.csv': 'nome\nb\n',
    });
    const end = await scene.run(['*.csv']);
    expectTold(end, 'ETL_COLUMN_MISSING', 2);
    expect(end.error?.facts.problems).toHaveLength(2);
    expect(end.stderr).toContain('a.csv');
    expect(end.stderr).toContain('c.csv');
    expect(end.stderr).not.toContain('b.csv');
  });

  test('a malformed job file: every problem at once, with path, value, limit and nearest name', async () => {
    const settings = { concurrency: 65, chunkSise: 10 };
    const load = { files: ['a.csv'], table: scene.table, onConflict: 'upsert' };
    await scene.write({ 'job.json': JSON.stringify({ settings, loads: [load] }) });
    const argv = ['run', '--config', 'job.json', '--database-url', scene.db.url];
    const end = await etl(argv, { cwd: scene.folder });
    expect(end.code).toBe(2);
    for (const part of ['settings.concurrency', '65', '64', 'chunkSise', 'chunkSize', 'upsert']) {
      expect(end.stderr).toContain(part);
    }
    expect(end.stderr).toContain('loads[0].onConflict');
    expect(end.stderr).toContain('[ETL_JOB_INVALID]');
  });

  test('a job file that is no JSON says where it breaks', async () => {
    await scene.write({ 'job.json': '{\n  "loads": [\n    }\n' });
    const end = await etl(['run', '--config', 'job.json'], { cwd: scene.folder });
    expect(end.code).toBe(2);
    expect(end.stderr).toContain('job.json line 3');
    expect(end.stderr).toContain('[ETL_JOB_INVALID]');
  });
});
