import { expect, test } from 'vitest';
import { quoted } from '../../src/target/names.ts';
import { expectTold } from '../support/etl.ts';
import { useScene } from '../support/scene.ts';

/** Names that try to be SQL, or to be obeyed by a terminal, are names and nothing else. */
const scene = useScene(
  () => '',
  'create table canary (alive boolean); insert into canary values (true)',
);

const HOSTILE = [
  ...['"; drop table canary; --', "'; drop table canary; --", '$etl$; drop table canary; $etl$'],
  ...['); drop table canary; --', '/* drop */', '--', "E'\\'", '\\', 'a.b', 'select', ' spaced '],
  ...['{"a":1}', '%s %I', '$1', 'two\nlines', 'tab\tbed', 'esc\x1b]0;title\x07', '‮right', 'ä😀'],
  ...['__proto__', 'constructor', 'etl_row', 'ctid_', 'x'.repeat(63), 'é'.repeat(31)],
];
const field = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function csv(columns: readonly string[], rows: number): string {
  const record = (id: number): string => columns.map((_, at) => field(`${id}:${at}`)).join(',');
  const records = Array.from({ length: rows }, (_, id) => record(id));
  return `${columns.map(field).join(',')}\n${records.join('\n')}\n`;
}

async function expectAlive(): Promise<void> {
  expect(await scene.db.query('select alive from canary')).toEqual([{ alive: true }]);
}

async function rowsOf(table: string): Promise<Record<string, unknown>[]> {
  const order = quoted(HOSTILE[0] ?? '');
  return scene.db.query(`select * from ${table} order by ${order} collate "C"`);
}

/** What the terminal was shown: no control character but the line end. */
function expectSafe(said: string): void {
  expect(said).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
}

test('a new table made of hostile headers has these columns and these rows', async () => {
  const table = `"new ""; drop table canary; -- .${scene.table}"`;
  await scene.write({ 'a.csv': csv(HOSTILE, 5), 'b.csv': csv(HOSTILE, 9) });
  const key = [HOSTILE[0] ?? '', HOSTILE[1] ?? ''].join(',');
  const words = ['a.csv', 'b.csv', '--table', table, '--key', key, '--verbose'];
  const end = await scene.run(words);
  expect({ code: end.code, said: end.stdout + end.stderr }).toMatchObject({ code: 0 });
  expectSafe(end.stdout + end.stderr);
  const rows = await rowsOf(table);
  expect(rows).toHaveLength(9);
  expect(Object.keys(rows[0] ?? {})).toEqual(HOSTILE);
  expect(Object.values(rows[8] ?? {})).toEqual(HOSTILE.map((_, at) => `8:${at}`));
  await expectAlive();
});

test.for(['full-parallel', 'sequential', 'partitioned'])(
  'an existing table, %s',
  async (strategy) => {
    const columns = HOSTILE.map((name) => `${quoted(name)} text`).join(', ');
    const keys = HOSTILE.slice(0, 3);
    const table = `"t"";--".${quoted(`${strategy} '; drop table canary; --`)}`;
    await scene.db.query(`create schema if not exists "t"";--"`);
    await scene.db.query(
      `create table ${table} (${columns}, primary key (${keys.map(quoted).join(', ')}))`,
    );
    const files = { 'a.csv': csv(HOSTILE, 6), 'b.csv': csv(HOSTILE, 8) };
    await scene.write(files);
    const words = ['a.csv', 'b.csv', '--table', table, '--strategy', strategy, '--verbose'];
    const end = await scene.run(words, { threads: true });
    expect({ code: end.code, said: end.stdout + end.stderr }).toMatchObject({ code: 0 });
    expectSafe(end.stdout + end.stderr);
    expect(await rowsOf(table)).toHaveLength(8);
    await expectAlive();
  },
);

test.for([
  ['a header with a NUL byte', 'id,a\0b\n1,2\n', 'ETL_FILE_FORMAT', 2],
  ['a header above 63 bytes', `id,${'é'.repeat(32)}\n1,2\n`, 'ETL_LIMIT', 1],
  ['a header without names', 'id,,\n1,2,3\n', 'ETL_CSV_MALFORMED', 1],
] as const)('%s is refused', async ([, text, code, exit]) => {
  await scene.write({ 'a.csv': text });
  expectTold(await scene.run(['a.csv', '--key', 'id']), code, exit);
});

test.for([
  ['a type', ['--types', 'name=text); drop table canary; --']],
  ['a table', ['--table', 't; drop table canary; --']],
  ['a table of too many parts', ['--table', 'a.b.c.d']],
  ['a table with a NUL byte', ['--table', 'a\0b']],
  ['a key', ['--key', 'id"; drop table canary; --']],
  ['a ledger', ['--ledger-schema', 'etl"; drop table canary; --']],
  ['a time zone', ['--time-zone', "UTC'; drop table canary; --"]],
  ['a version', ['--on-conflict', 'newest', '--version-column', 'x"; drop table canary; --']],
  ['a text for NULL', ['--csv-null', "'); drop table canary; --"]],
  ['an encoding', ['--csv-encoding', "utf8'); drop table canary; --"]],
] as const)('%s that tries to be SQL does no harm', async ([, words]) => {
  await scene.write({ 'a.csv': 'id,name\n1,a\n' });
  const key = words.includes('--key' as never) ? [] : ['--key', 'id'];
  const end = await scene.run(['a.csv', ...key, ...words]);
  const said = end.stdout + end.stderr;
  expect({ code: end.code, said }).toMatchObject({
    code: expect.toSatisfy((n) => n < 3) as number,
  });
  expect(said).not.toContain('ETL_INTERNAL');
  expectSafe(said);
  await expectAlive();
  await scene.db.query(`drop schema if exists "etl""; drop table canary; --" cascade`);
});

test('rows that a terminal would obey are shown as text', async () => {
  await scene.write({
    'a\x1b[2J.csv': 'id,n\n1,\x1b]0;owned\x07\n',
    'b.csv': 'id,n\n1,1\n2,‮txt.exe\x9b31m\n',
  });
  await scene.db.query(`create table ${scene.table} (id int primary key, n int)`);
  const end = await scene.run(['*.csv', '--verbose']);
  expect(end.code).toBe(1);
  expect(end.stdout).toContain('a\\x1b[2J.csv');
  expectSafe(end.stdout + end.stderr);
  expect(end.stdout + end.stderr).toContain('\\x1b]0;owned\\x07');
});
