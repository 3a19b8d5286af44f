import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import type { ErrorRecord } from '../../src/errors.ts';
import { expectNoLeaks } from '../support/database.ts';
import { load } from '../support/load.ts';
import { csvOf } from '../support/random-load.ts';
import { createTwice, createWorkplace, rowsOf, type Workplace } from '../support/table-pair.ts';
import { readRejects } from '../support/rejects.ts';
import { parquetOf } from '../support/twin-files.ts';

/** JSON files, from the bytes to the table. */
let place: Workplace;
let tables = 0;

beforeAll(async () => {
  place = await createWorkplace();
});
afterEach(() => expectNoLeaks(place.db.url));
afterAll(() => place.remove());

type Json = { records?: string | null; columns?: Record<string, string> };
interface Asked {
  readonly json?: Json;
  readonly key?: string[];
  readonly types?: Record<string, string>;
  readonly settings?: Record<string, unknown>;
  readonly [setting: string]: unknown;
}

/** Writes the files into a folder of the test's own names and loads them into a table. */
async function run(table: string, files: Record<string, string | Buffer>, asked: Asked = {}) {
  const { settings = {}, ...rest } = asked;
  const names = Object.keys(files).map((name) => `${table}-${name}`);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(place.folder, `${table}-${name}`), content);
  }
  const job = {
    settings: { concurrency: 3, ...settings },
    loads: [{ files: names, table, order: 'listed' as const, ...rest }],
  };
  return load(place.db.url, job, { cwd: place.folder });
}

async function loaded(table: string, files: Record<string, string | Buffer>, asked: Asked = {}) {
  const done = await run(table, files, asked);
  expect(done.report.error).toBeNull();
  expect(done.report.status).toBe('loaded');
  return done;
}

function newTable(): string {
  return `json${++tables}`;
}

async function failure(
  files: Record<string, string | Buffer>,
  ddl: string,
  asked: Asked = {},
): Promise<ErrorRecord> {
  const table = newTable();
  await place.db.query(`create table ${table} ${ddl}`);
  const { report } = await run(table, files, asked);
  expect(report.status).toBe('failed');
  await expect(rowsOf(place, table)).resolves.toEqual([]);
  const error = report.loads[0]?.files[0]?.error;
  if (error == null) throw new Error(`no error of a file: ${JSON.stringify(report.error)}`);
  return error;
}

describe('the records of a file', () => {
  const rows = [
    { id: 1, name: 'a' },
    { id: 2, name: 'b' },
    { id: 1, name: 'c' },
  ];
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  it.each<[string, string, string | Buffer, Json]>([
    ['an array', 'f.json', JSON.stringify(rows), {}],
    ['a pretty array', 'f.json', JSON.stringify(rows, null, 2), {}],
    [
      'an array at a pointer',
      'f.json',
      JSON.stringify({ n: 3, a: { r: rows }, z: [1] }),
      { records: '/a/r' },
    ],
    ['lines', 'f.jsonl', lines, {}],
    ['lines, of another name', 'f.ndjson', lines, {}],
    ['lines in a .json file', 'f.json', lines, {}],
    ['gzip', 'f.jsonl.gz', gzipSync(lines), {}],
    ['a gzip array', 'f.json.gz', gzipSync(JSON.stringify(rows)), {}],
    ['a mark before it', 'f.json', `\ufeff${JSON.stringify(rows)}`, {}],
  ])('are loaded from %s', async (_, name, content, json) => {
    const table = newTable();
    await place.db.query(`create table ${table} (id integer primary key, name text)`);
    const { report } = await loaded(table, { [name]: content }, { json });
    expect(report.loads[0]?.files[0]).toMatchObject({ rowsRead: 3, inserted: 2, superseded: 1 });
    await expect(rowsOf(place, table)).resolves.toEqual([
      { id: '1', name: 'c' },
      { id: '2', name: 'b' },
    ]);
  });

  it('are none in an empty array, where the columns are known', async () => {
    const table = newTable();
    await place.db.query(`create table ${table} (id integer primary key)`);
    const { report } = await loaded(table, { 'a.json': '[]', 'b.json': '[{"id":1}]' });
    expect(report.loads[0]?.files.map(({ rowsRead }) => rowsRead)).toEqual([0, 1]);
    const given = { json: { columns: { id: '/id' } } };
    const alone = await loaded(
      table,
      { 'c.json': '{"r":[]}' },
      { json: { ...given.json, records: '/r' } },
    );
    expect(alone.report.loads[0]?.files[0]).toMatchObject({ rowsRead: 0, status: 'loaded' });
  });

  it('are not loaded from a file whose columns nobody knows', async () => {
    const table = newTable();
    await place.db.query(`create table ${table} (id integer primary key)`);
    await expect(run(table, { 'a.json': '[]' })).rejects.toMatchObject({
      code: 'ETL_FILE_EMPTY',
      message: expect.stringContaining('--json-columns') as string,
    });
    await expect(run(table, { 'b.json': '' })).rejects.toMatchObject({ code: 'ETL_FILE_EMPTY' });
  });

  it('are skipped in the second run', async () => {
    const table = newTable();
    await place.db.query(`create table ${table} (id integer primary key, name text)`);
    await loaded(table, { 'f.json': JSON.stringify(rows) });
    const again = await loaded(table, { 'f.json': JSON.stringify(rows) });
    expect(again.report.loads[0]?.files[0]).toMatchObject({ status: 'skipped' });
    // Other columns are another load.
    const other = await loaded(
      table,
      { 'f.json': JSON.stringify(rows) },
      { json: { columns: { id: '/id' } } },
    );
    expect(other.report.loads[0]?.files[0]).toMatchObject({ status: 'loaded', unchanged: 2 });
  });
});

describe('the values of a record', () => {
  it('are exact, and what is missing or null is NULL', async () => {
    const table = newTable();
    await createTwice(
      place,
      table,
      `(id bigint primary key, n numeric, d double precision, t text, at timestamptz, ok boolean,
        doc jsonb, raw json, tags text[], whole jsonb, verbatim text)`,
    );
    const first =
      '{"id":9007199254740993,"n":0.1000000000000000055511151231257827,"d":0.1,"t":"null","at":"2024-02-29T12:00:00.123456Z","ok":true,"doc":{"b":1.0,"a":[1e2]},"raw":{"b": 1,"b":2},"tags":["a b",null]}';
    const second =
      '{"id":1e3,"n":1e400,"d":1.7976931348623157e308,"t":null,"doc":"text","raw":null,"tags":"{x}"}';
    const third = '{"id":-1,"t":"\\u00e9\\ud83d\\ude00\\n\\t\\\\N","n":-0.0}';
    const columns = {
      ...Object.fromEntries(
        ['id', 'n', 'd', 't', 'at', 'ok', 'doc', 'raw', 'tags'].map((name) => [name, `/${name}`]),
      ),
      ...{ whole: '', verbatim: '' },
    };
    await loaded(table, { 'f.jsonl': `${first}\n${second}\n${third}\n` }, { json: { columns } });
    await place.db.query(
      `insert into ${table}_oracle values
         (9007199254740993, 0.1000000000000000055511151231257827, 0.1, 'null',
          '2024-02-29 12:00:00.123456+00', true, '{"b":1.0,"a":[100]}', '{"b": 1,"b":2}',
          array['a b', null], $1::text::jsonb, $1),
         (1000, 1e400, 1.7976931348623157e308, null, null, null, '"text"', null, array['x'],
          $2::text::jsonb, $2),
         (-1, '-0.0', null, E'é😀\\n\\t\\\\N', null, null, null, null, null, $3::text::jsonb, $3)`,
      [first, second, third],
    );
    await expect(rowsOf(place, table)).resolves.toEqual(await rowsOf(place, `${table}_oracle`));
  });

  it('make a table of their own, with the types that they have', async () => {
    const table = newTable();
    const content = [
      '{"id":1,"big":9007199254740993,"price":1.50,"huge":1e400,"ok":true,"zip":"01234","code":"12","at":"2024-01-01T10:00:00Z","day":"2024-01-01","buyer":{"name":"x"},"tags":["a"],"none":null}',
      '{"id":2,"big":1,"price":2,"huge":1,"ok":false,"zip":"99","code":"13","at":"2024-01-02T10:00:00+02:00","day":"2024-01-02","buyer":{},"tags":[],"late":"x"}',
    ].join('\n');
    await loaded(table, { 'f.jsonl': content }, { key: ['id'] });
    const types = await place.db.query<{ t: string }>(
      `select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum) as t
         from pg_attribute where attrelid = $1::regclass and attnum > 0`,
      [table],
    );
    expect(types[0]?.t).toBe(
      'id bigint, big bigint, price numeric, huge numeric, ok boolean, zip text, code text, at timestamp with time zone, day date, buyer jsonb, tags jsonb, none text, late text',
    );
    await expect(
      place.db.query(`select zip, code, huge::text as huge, late from ${table} order by id`),
    ).resolves.toEqual([
      { zip: '01234', code: '12', huge: `1${'0'.repeat(400)}`, late: null },
      { zip: '99', code: '13', huge: '1', late: 'x' },
    ]);
  });

  it('are of the columns of all files, where the job names none', async () => {
    const table = newTable();
    await place.db.query(`create table ${table} (id integer primary key, a text, b text);
      insert into ${table} values (1, 'old', 'old'), (2, 'old', 'old')`);
    await loaded(table, { '1.json': '[{"id":1,"a":"x"}]', '2.json': '[{"id":2,"b":"y"}]' });
    await expect(rowsOf(place, table)).resolves.toEqual([
      { id: '1', a: 'x', b: null },
      { id: '2', a: null, b: 'y' },
    ]);
  });

  it('are left out as asked for, and no field is left out unasked', async () => {
    const table = newTable();
    await place.db.query(`create table ${table} (id integer primary key, a text)`);
    const content = '{"id":1,"A":"x","junk":[{"a":1}]}';
    await expect(run(table, { 'f.jsonl': content })).rejects.toMatchObject({
      code: 'ETL_COLUMN_MISSING',
    });
    await loaded(table, { 'f.jsonl': content }, { columns: { junk: null } });
    await expect(rowsOf(place, table)).resolves.toEqual([{ id: '1', a: 'x' }]);
  });
});

describe('a bad file is refused whole, with the place', () => {
  const ddl = '(id integer primary key, n numeric(6,2), day date)';
  const good = '[{"id":1,"n":1,"day":"2024-01-01"},\n{"id":2,"n":1,"day":"2024-01-01"},\n';
  it.each<[string, string, string, object]>([
    [
      'a value in the middle',
      'f.json',
      `${good}\n{"id":3,"n":"12,50","day":null},{"id":4,"n":1,"day":null}]`,
      { code: 'ETL_ROW_INVALID', facts: { line: 4, record: 3, column: 'n', value: '12,50' } },
    ],
    [
      'an integer with a fraction',
      'f.json',
      `${good}{"id":3.5,"n":1,"day":null}]`,
      { code: 'ETL_ROW_INVALID', facts: { line: 3, record: 3, column: 'id', value: '3.5' } },
    ],
    [
      'a number that is too large',
      'f.json',
      `${good}{"id":3,"n":123456,"day":null}]`,
      { code: 'ETL_ROW_INVALID', facts: { line: 3, record: 3, column: 'n' } },
    ],
    [
      'an object for a date',
      'f.json',
      `${good}{"id":3,"n":1,"day":{"y":1}}]`,
      { code: 'ETL_ROW_INVALID', facts: { line: 3, record: 3, column: 'day', value: '{"y":1}' } },
    ],
    [
      'no key',
      'f.json',
      `${good}{"n":1,"day":null}]`,
      { code: 'ETL_ROW_INVALID', facts: { line: 3, record: 3, column: 'id' } },
    ],
    [
      'a file that is cut short',
      'f.json',
      good,
      { code: 'ETL_JSON_MALFORMED', facts: { line: 3 } },
    ],
    [
      'something behind the array',
      'f.json',
      `${good}{"id":3,"n":1,"day":null}]\n]`,
      { code: 'ETL_JSON_MALFORMED', facts: { line: 4 } },
    ],
    [
      'a record that is no object',
      'f.json',
      `${good}17]`,
      { code: 'ETL_JSON_MALFORMED', facts: { line: 3, record: 3 } },
    ],
    [
      'a line that is no JSON',
      'f.jsonl',
      '{"id":1,"n":1,"day":null}\n{"id":2,"n":1,"day":nil}\n',
      { code: 'ETL_JSON_MALFORMED', facts: { line: 2, record: 2 } },
    ],
  ])('%s', async (_, name, content, expected) => {
    await expect(failure({ [name]: content }, ddl)).resolves.toMatchObject(expected);
  });

  it('a character that text cannot hold', async () => {
    const error = await failure(
      { 'f.jsonl': '{"id":1,"t":"a\\u0000b"}' },
      '(id integer primary key, t text)',
    );
    expect(error).toMatchObject({ code: 'ETL_ROW_INVALID', facts: { record: 1, column: 't' } });
  });

  it('a field that comes after the sample', async () => {
    const many = Array.from({ length: 100_000 }, (_, id) => ({ id, text: 'x'.repeat(100) }));
    const content = JSON.stringify([...many, { id: -1, text: 'y', rare: 1 }]);
    const error = await failure({ 'f.json': content }, '(id integer primary key, text text)');
    expect(error).toMatchObject({
      code: 'ETL_COLUMN_MISSING',
      facts: { record: 100_001, line: 1 },
    });
    expect(error.sentence).toContain('"rare"');
  }, 60_000);
});

describe('bad records in quarantine', () => {
  it('are put aside with their place, and all others are loaded', async () => {
    const table = newTable();
    await place.db.query(
      `create table ${table} (id integer primary key, n integer check (n < 100), t text)`,
    );
    const records = Array.from({ length: 50 }, (_, id) => `{"id":${id},"n":1,"t":"x"}`);
    records[7] = '{"id":7,"n":"seven",\n"t":null}';
    records[8] = '{"id":8,"n":1,"t":"nul \\u0000"}';
    records[9] = '{"n":1,"t":"no \\"key\\""}';
    records[30] = '{"id":30,"n":100,"t":"refused by the table"}';
    records[49] = '{"id":99999999999,"n":1,"t":"x"}';
    const rejects = `${table}-rejects`;
    const settings = { onError: 'quarantine', rejects, subBatchSize: 10 };
    const { report } = await run(table, { 'f.json': `[${records.join(',\n')}]` }, { settings });
    expect(report.loads[0]?.files[0]).toMatchObject({ rowsRead: 50, inserted: 45, rejected: 5 });
    const rows = await place.db.query(`select count(*)::int as n, sum(id)::int as s from ${table}`);
    expect(rows).toEqual([{ n: 45, s: (49 * 50) / 2 - 7 - 8 - 9 - 30 - 49 }]);
    const [name = ''] = await readdir(join(place.folder, rejects));
    const rejected = await readRejects(join(place.folder, rejects, name));
    expect(
      rejected.map((row) => [row['etl_line'], row['etl_column'], row['etl_raw'], row['n']]),
    ).toEqual([
      ['8', 'n', records[7], 'seven'],
      ['10', 't', records[8], '1'],
      ['11', 'id', records[9], '1'],
      ['32', 'n', records[30], '100'],
      ['51', 'id', records[49], '1'],
    ]);
  });

  it('are told by their place in their own file, where the table refuses them', async () => {
    const table = newTable();
    await place.db.query(
      `create table ${table} (id integer primary key, n integer check (n < 100))`,
    );
    const rejects = `${table}-rejects`;
    const settings = { onError: 'quarantine', rejects, concurrency: 1 };
    const files = {
      '1.json': '[{"id":1,"n":1},\n{"id":2,"n":1}]',
      '2.json': '[{"id":3,"n":1},\n\n{"id":4,"n":100}]',
      '3.json': '[{"id":5,"n":1}]',
      '4.json': '[{"id":6,"n":1}]',
    };
    const { report } = await run(table, files, { settings });
    expect(report.loads[0]?.files.map(({ rejected }) => rejected)).toEqual([0, 1, 0, 0]);
    const [name = '', ...others] = await readdir(join(place.folder, rejects));
    expect(others).toEqual([]);
    const rejected = await readRejects(join(place.folder, rejects, name));
    expect(rejected.map((row) => [row['etl_line'], row['etl_raw']])).toEqual([
      ['3', '{"id":4,"n":100}'],
    ]);
  });

  it('are not looked for where the array of records is not what it should be', async () => {
    const content = '[{"id":1}]\n{"id":2}\n';
    const settings = { onError: 'quarantine', rejects: 'none' };
    const error = await failure({ 'f.json': content }, '(id integer primary key)', { settings });
    expect(error).toMatchObject({ code: 'ETL_JSON_MALFORMED', facts: { line: 2 } });
  });
});

describe('JSON, CSV and Parquet in one load', () => {
  const columns = ['id', 'version', 'amount', 'note'];
  const ddl = '(id bigint primary key, version integer, amount numeric(10,2), note text)';
  const file = (from: number, version: number): OracleFile => ({
    columns,
    rows: Array.from({ length: 40 }, (_, row) => [
      String(from + (row % 30)),
      String(version),
      row % 7 === 0 ? null : `${row}.5`,
      row % 5 === 0 ? '' : `note "${version}"\n\\N`,
    ]),
  });
  const json = ({ rows }: OracleFile, lines: boolean): string => {
    const records = rows.map(
      ([id = null, version = null, amount = null, note]) =>
        `{"note":${JSON.stringify(note)},"id":${id ?? 'null'},"amount":${amount ?? 'null'},"version":${version ?? 'null'}}`,
    );
    return lines ? records.join('\n') : `[${records.join(', ')}]`;
  };
  const parquet = ({ rows }: OracleFile): Buffer =>
    Buffer.from(
      parquetOf([
        {
          name: 'id',
          type: { kind: 'integer', bits: 64, signed: true },
          texts: rows.map((row) => row[0] ?? null),
        },
        {
          name: 'version',
          type: { kind: 'integer', bits: 32, signed: true },
          texts: rows.map((row) => row[1] ?? null),
        },
        { name: 'amount', type: { kind: 'string' }, texts: rows.map((row) => row[2] ?? null) },
        { name: 'note', type: { kind: 'string' }, texts: rows.map((row) => row[3] ?? null) },
      ]),
    );

  it.each([
    ['partitioned', 'update'],
    ['partitioned', 'ignore'],
    ['partitioned', 'newest'],
    ['full-parallel', 'update'],
    ['hybrid', 'update'],
    ['sequential', 'ignore'],
    ['hybrid', 'newest'],
  ] as const)('%s, %s: the table ends as the oracle leaves it', async (strategy, onConflict) => {
    const table = newTable();
    await createTwice(place, table, ddl);
    const files = [file(0, 3), file(20, 1), file(10, 5), file(15, 2), file(5, 4)] as const;
    const versionColumn = onConflict === 'newest' ? 'version' : null;
    const oracle = { table: `${table}_oracle`, columns, key: ['id'], onConflict, versionColumn };
    await loadInBatches(place.db, oracle, files);
    await loaded(
      table,
      {
        '1.json': json(files[0], false),
        '2.csv': csvOf(files[1]),
        '3.jsonl.gz': gzipSync(json(files[2], true)),
        '4.parquet': parquet(files[3]),
        '5.jsonl': json(files[4], true),
      },
      { strategy, onConflict, versionColumn },
    );
    const [own] = await place.db.query(tableDigest(table));
    const [theirs] = await place.db.query(tableDigest(`${table}_oracle`));
    expect(own).toEqual(theirs);
  });
});
