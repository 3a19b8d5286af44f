import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesOf, useScene } from '../support/scene.ts';
import { readRejects } from '../support/rejects.ts';

/**
 * Bad rows of CSV files put aside: every good row is loaded, every bad one stands in the reject file
 * with its place, and the run ends with exit code 3.
 */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name varchar(5) not null,
                amount numeric(6,2) check (amount >= 0), parent int references parent);
              insert into ${table} values (1, 'old', 1)`,
  'create table parent (id int primary key); insert into parent values (1), (2)',
);

interface BadRow {
  readonly what: string;
  /** What stands in the file, from its third line on. */
  readonly text: string | Buffer;
  readonly column?: string;
  readonly sqlState?: string;
  readonly reason: string;
  /** Where it is not the text. */
  readonly raw?: string;
  /** Whether its fields stand under their own names, too. */
  readonly fields?: boolean;
}

const BAD: readonly BadRow[] = [
  {
    what: 'a value of another type',
    text: '2,b,"12,50",1',
    column: 'amount',
    sqlState: '22P02',
    reason: 'invalid input syntax for type numeric: "12,50".',
    fields: true,
  },
  {
    what: 'an integer out of range',
    text: '3000000000,b,1,1',
    column: 'id',
    sqlState: '22003',
    reason: 'value "3000000000" is out of range for type integer.',
    fields: true,
  },
  {
    what: 'a number too large for its column',
    text: '2,b,12345,1',
    column: 'amount',
    sqlState: '22003',
    reason: 'numeric field overflow',
    fields: true,
  },
  {
    what: 'a text too long for its column, over two lines',
    text: '2,"b\nbbbbbb",1,1',
    column: 'name',
    sqlState: '22001',
    reason: 'value too long for type character varying(5).',
    fields: true,
  },
  {
    what: 'NULL where the column forbids it',
    text: '2,,1,1',
    column: 'name',
    sqlState: '23502',
    reason: 'null value in column "name" violates not-null constraint.',
    fields: true,
  },
  {
    what: 'NULL in the key',
    text: ',b,1,1',
    column: 'id',
    sqlState: '23502',
    reason: 'null value in column "id"',
    fields: true,
  },
  {
    what: 'a CHECK that is violated',
    text: '2,b,-1,1',
    column: 'amount',
    sqlState: '23514',
    reason: 'violates check constraint',
    fields: true,
  },
  {
    what: 'a foreign key that is violated',
    text: '2,b,1,7',
    column: 'parent',
    sqlState: '23503',
    reason: 'violates foreign key constraint',
    fields: true,
  },
  {
    what: 'a NUL byte',
    text: Buffer.from('2,b\0,1,1'),
    column: '',
    sqlState: '22021',
    reason: 'invalid byte sequence for encoding "UTF8": 0x00.',
    raw: `\\x${Buffer.from('2,b\0,1,1').toString('hex')}`,
  },
  {
    what: 'bytes that are not UTF-8',
    text: Buffer.from('2,b\xff,1,1', 'latin1'),
    sqlState: '22021',
    reason: 'invalid byte sequence for encoding "UTF8": 0xff',
    raw: `\\x${Buffer.from('2,b\xff,1,1', 'latin1').toString('hex')}`,
  },
  {
    what: 'too few fields',
    text: '2,b,1',
    column: 'parent',
    sqlState: '22P04',
    reason: 'missing data for column "parent".',
  },
  {
    what: 'too many fields',
    text: '2,b,1,1,1',
    sqlState: '22P04',
    reason: 'extra data after last expected column.',
  },
  {
    what: 'a quote that never closes',
    text: '2,"b,1,1',
    reason: 'a quote opens in it and does not close.',
  },
  {
    what: 'a quote that swallows a line end',
    text: '2,b"b,1,1',
    reason: 'a quote in the middle of a field swallows the end of the line.',
  },
  {
    what: 'a line end of another kind',
    text: '2,b,1,1\r',
    reason: 'it has a line end outside quotes that is not the line end of the file.',
    raw: '2,b,1,1',
    fields: true,
  },
  {
    what: 'the end-of-data mark of COPY',
    text: '\\.',
    column: 'id',
    sqlState: '22P02',
    reason: 'invalid input syntax for type integer',
  },
];

const BEFORE = 'id,name,amount,parent\n1,new,1,1\n';
/** So long that one bad byte does not make the file look binary. */
const BEHIND = `\n8,"h\nh",1,2\n${Array.from({ length: 30 }, (_, row) => `${row + 10},n,1,\n`).join('')}`;

describe.each(['full-parallel', 'sequential', 'partitioned'])('%s', (strategy) => {
  test.for(BAD)('$what', async (bad) => {
    const text = Buffer.concat([Buffer.from(BEFORE), Buffer.from(bad.text), Buffer.from(BEHIND)]);
    await scene.write({ 'a.csv': text, 'b.csv': 'id,name,amount,parent\n8,later,1,1\n' });
    const flags = ['--on-error', 'quarantine', '--strategy', strategy];
    const end = await scene.run(['*.csv', ...flags, '--concurrency', '2']);
    expect([end.code, end.report?.status, end.error]).toEqual([3, 'rejected-rows', null]);
    expect(end.report?.loads[0]?.totals).toMatchObject({ rowsRead: 34, rejected: 1 });
    const path = join(scene.folder, 'rejects', 'a.csv.rejects.csv');
    expect(filesOf(end.report).map(({ rejected, rejects }) => [rejected, rejects])).toEqual([
      [1, path],
      [0, null],
    ]);
    expect(end.stdout).toContain('1 row rejected');
    const [row, ...more] = await readRejects(path);
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      etl_line: '3',
      etl_byte_offset: String(BEFORE.length),
      etl_sqlstate: bad.sqlState ?? '',
      etl_raw: bad.raw ?? bad.text,
    });
    expect(row?.['etl_column']).toBe(bad.column ?? '');
    expect(row?.['etl_reason']).toContain(bad.reason);
    expect(row?.['etl_reason']).not.toMatch(/\bc\d\b|etl_unit|staging_/);
    expect(row?.['id'] !== '' || row['name'] !== '').toBe(bad.fields === true);
    const kept = await scene.db.query(
      `select count(*)::int as n, max(name) filter (where id = 8) as winner from ${scene.table}`,
    );
    expect(kept).toEqual([{ n: 32, winner: 'later' }]);
  });
});
