import { readFileSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { spoolPrefix } from '../../src/load/quarantine/reject-folder.ts';
import { runCli } from '../support/cli-process.ts';
import { load, planJob } from '../support/load.ts';
import { expectTold, type EtlEnd } from '../support/etl.ts';
import { readRejects } from '../support/rejects.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

/** Bad rows put aside in each kind of load, and the folder in which they land. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name text not null,
                amount int check (amount >= 0))`,
  `create table parent (id int primary key);
   create function no_sevens() returns trigger language plpgsql as $$
   begin
     if new.id % 7 = 0 then raise exception 'no sevens, so not %', new.id; end if;
     return new;
   end $$`,
);

const QUARANTINE = ['--on-error', 'quarantine'];
const page = readFileSync(new URL('../../docs/running-again.md', import.meta.url), 'utf8');

function run(...words: readonly string[]): Promise<EtlEnd> {
  return scene.run([...words, ...QUARANTINE]);
}

async function ids(): Promise<unknown[]> {
  const found = await scene.db.query(`select id from ${scene.table} order by id`);
  return found.map(({ id }) => id);
}

function rejectsOf(name: string): Promise<Record<string, string>[]> {
  return readRejects(join(scene.folder, 'rejects', `${name}.rejects.csv`));
}

/** Rows from `from` on, `bad` of them with a text for a number. */
function rows(from: number, count: number, bad: readonly number[] = []): string {
  const line = (id: number): string => `${id},n${id},${bad.includes(id) ? 'bad' : id}\n`;
  return `id,name,amount\n${Array.from({ length: count }, (_, at) => line(from + at)).join('')}`;
}

test('what a killed run has spooled goes with the next one, though it has nothing to load', async () => {
  await scene.write({ 'a.csv': rows(1, 5, [3]) });
  expect((await run('a.csv')).code).toBe(3);
  const job = { loads: [{ table: scene.table, files: ['a.csv'] }] };
  const { server, loads } = await planJob(scene.db.url, job, { cwd: scene.folder });
  const folder = join(scene.folder, 'rejects');
  const database = `${server.address} ${server.database}`;
  const oid = loads[0]?.table.oid ?? 0;
  await writeFile(`${spoolPrefix(folder, database, oid)}17-u0-direct`, 'left');
  const another = `${spoolPrefix(folder, database, oid + 1)}17-u0-direct`;
  await writeFile(another, 'of another table');
  const again = await run('a.csv');
  expect(again.report?.loads[0]?.files.map(({ status }) => status)).toEqual(['skipped']);
  expect((await readdir(folder)).toSorted()).toEqual([basename(another), 'a.csv.rejects.csv']);
});

describe('kinds of loads', () => {
  test('append: rows without a key', async () => {
    await scene.write({ 'a.csv': rows(1, 50, [7, 8]), 'b.csv': rows(51, 50) });
    const end = await run('a.csv', 'b.csv', '--on-conflict', 'append', '--concurrency', '2');
    expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([
      3,
      { inserted: 98, rejected: 2 },
    ]);
    expect((await rejectsOf('a.csv')).map(({ id }) => id)).toEqual(['7', '8']);
  });

  test.each(['full-parallel', 'partitioned'])(
    'a new table, filled before its key: %s',
    async (strategy) => {
      const table = `${scene.table}_new`;
      // Beyond what the planner samples, so that it makes the columns integers.
      await scene.write({ 'a.csv': rows(1, 60_000, [50_000]), 'b.csv': rows(60_001, 10) });
      const end = await run('*.csv', '--table', table, '--key', 'id', '--strategy', strategy);
      expect(end.report?.loads[0]?.totals).toMatchObject({
        rowsRead: 60_010,
        inserted: 60_009,
        rejected: 1,
      });
      expect(end.stdout).not.toContain('staging instead');
      expect(await scene.db.query(`select count(*), sum(id) from ${table}`)).toEqual([
        { count: '60009', sum: String((60_010 * 60_011) / 2 - 50_000) },
      ]);
      expect((await rejectsOf('a.csv')).map((row) => [row['etl_line'], row['id']])).toEqual([
        ['50001', '50000'],
      ]);
      const again = await run('*.csv', '--table', table, '--key', 'id', '--strategy', strategy);
      expect(statusesOf(again.report)).toEqual(['skipped', 'skipped']);
    },
  );

  test('many small files of one unit, two of them bad', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [
        `f${at}.csv`,
        at === 10
          ? rows(100, 10, [105])
          : at === 20
            ? 'id,name,amount\n200,x,-1\n201,y,1\n'
            : rows(at * 10, 10),
      ]),
    );
    await scene.write(files);
    const end = await run('*.csv', '--concurrency', '1');
    expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([
      3,
      { rowsRead: 392, rejected: 2 },
    ]);
    const bad = filesOf(end.report).flatMap((file, at) => (file.rejected === 0 ? [] : [at]));
    expect(bad).toEqual([10, 20]);
    expect(await rejectsOf('f10.csv')).toMatchObject([{ etl_line: '7', id: '105' }]);
    expect(await rejectsOf('f20.csv')).toMatchObject([
      { etl_line: '2', id: '200', etl_column: 'amount' },
    ]);
    expect(await ids()).toHaveLength(390);
  });

  test('a file that is split, with bad rows in its parts and in their merge', async () => {
    const bad = 'x,open\n"never closed,1\n3000,x,-1\n';
    await scene.write({
      'a.csv': rows(1, 3000, [5, 1500, 2999]).replace('1000,n1000', '-1,"n\n1000"') + bad,
      'b.csv': 'id,name,amount\n3000,later,1\n',
    });
    const job = {
      settings: { onError: 'quarantine' as const, chunkSize: 100, concurrency: 3 },
      loads: [{ table: scene.table, files: ['a.csv', 'b.csv'], strategy: 'partitioned' as const }],
    };
    const { plan, report } = await load(scene.db.url, job, {
      cwd: scene.folder,
      partBytesMin: 500,
    });
    expect(plan.loads[0]?.units.length).toBeGreaterThan(10);
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 3004, rejected: 6, superseded: 1 });
    expect((await rejectsOf('a.csv')).map((row) => row['etl_line'])).toEqual([
      '6',
      '1502',
      '3001',
      '3003',
      '3004',
      '3005',
    ]);
  });
});

test('rows that break a CHECK are found before the merge, which is made once', async () => {
  await scene.write({ 'a.csv': `id,name,amount\n1,a,1\n2,b,-1\n2,c,2\n3,d,-3\n3,e,-4\n` });
  const { db, table } = scene;
  const merges: string[] = [];
  const proxy = await openTcpProxy(db.url, {
    fateOf: (statement) => {
      if (/insert into "public"\."t\d+"/.test(statement)) merges.push(statement);
      return 'pass';
    },
  });
  try {
    const end = await scene.run(['a.csv', ...QUARANTINE], { url: proxy.url });
    expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([
      3,
      { inserted: 2, superseded: 0, rejected: 3 },
    ]);
  } finally {
    await proxy.close();
  }
  expect(merges).toHaveLength(1);
  const rejects = await rejectsOf('a.csv');
  expect(rejects.map((row) => [row['etl_line'], row['etl_column'], row['etl_reason']])).toEqual(
    ['3', '5', '6'].map((line) => [
      line,
      'amount',
      `new row for relation "${table}" violates check constraint "${table}_amount_check".`,
    ]),
  );
});

test('a file that COPY cannot read: UTF-16, with comments', async () => {
  const text = rows(1, 10, [3]).replace('5,n5,5\n', '# a remark\n5,n5\n60,"n\n5",-1\n');
  await scene.write({ 'a.csv': Buffer.from(`\ufeff${text}`, 'utf16le') });
  const words = ['--csv-encoding', 'utf16le', '--csv-comment', '#'];
  const end = await run('a.csv', ...words);
  expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([
    3,
    { rowsRead: 11, rejected: 3 },
  ]);
  const rejects = await rejectsOf('a.csv');
  expect(rejects.map((row) => [row['etl_line'], row['etl_raw'], row['name']])).toEqual([
    ['4', '3,n3,bad', 'n3'],
    ['7', '5,n5', ''],
    ['8', '60,"n\n5",-1', 'n\n5'],
  ]);
});

describe('what the table alone can refuse', () => {
  test('a key of another unique index, in the order of the file', async () => {
    await scene.db.query(`create unique index on ${scene.table} (name)`);
    await scene.write({ 'a.csv': 'id,name,amount\n1,x,1\n2,y,1\n3,x,1\n4,z,1\n1,y,2\n' });
    const end = await run('a.csv');
    expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([3, { rejected: 2 }]);
    expect((await rejectsOf('a.csv')).map((row) => [row['etl_line'], row['etl_sqlstate']])).toEqual(
      [
        ['4', '23505'],
        ['6', '23505'],
      ],
    );
    expect(await scene.db.query(`select id, name, amount from ${scene.table} order by 1`)).toEqual([
      { id: 1, name: 'x', amount: 1 },
      { id: 2, name: 'y', amount: 1 },
      { id: 4, name: 'z', amount: 1 },
    ]);
  });

  test('what a trigger raises', async () => {
    await scene.db.query(
      `create trigger sevens before insert on ${scene.table}
         for each row execute function no_sevens()`,
    );
    await scene.write({ 'a.csv': rows(1, 30) });
    const end = await run('a.csv');
    expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([
      3,
      { inserted: 26, rejected: 4 },
    ]);
    expect((await rejectsOf('a.csv')).map((row) => row['etl_reason'])).toEqual(
      [7, 14, 21, 28].map((id) => `no sevens, so not ${id}.`),
    );
  });

  test.each(['full-parallel', 'partitioned'])(
    'a foreign key that is checked at the end: %s',
    async (strategy) => {
      await scene.db.query(
        `alter table ${scene.table} add foreign key (amount) references parent
           deferrable initially deferred;
         insert into parent select generate_series(1, 20) on conflict do nothing`,
      );
      await scene.write({ 'a.csv': rows(1, 25), 'b.csv': rows(15, 10) });
      const end = await run('*.csv', '--strategy', strategy, '--concurrency', '2');
      expect([end.code, end.error]).toEqual([3, null]);
      expect(await ids()).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    },
  );
});

describe('counts and limits', () => {
  test('an input of bad rows alone', async () => {
    await scene.write({ 'a.csv': `id,name,amount\n${'x,y,z\n'.repeat(500)}`, 'b.csv': rows(1, 3) });
    const end = await run('a.csv', 'b.csv');
    expect(filesOf(end.report).map((file) => [file.rowsRead, file.rejected])).toEqual([
      [500, 500],
      [3, 0],
    ]);
    expect(await rejectsOf('a.csv')).toHaveLength(500);
    expect(await ids()).toEqual([1, 2, 3]);
  });

  test.each([
    ['3', 3, 0],
    ['2', 3, 1],
    ['30%', 3, 0],
    ['29.9%', 3, 1],
    ['0', 1, 1],
  ])('maxErrors %s of %i bad rows among ten', async (max, bad, code) => {
    await scene.write({ 'a.csv': rows(11, 5), 'b.csv': rows(1, 10, [2, 4, 6].slice(0, bad)) });
    const end = await run('a.csv', 'b.csv', '--max-errors', max, '--strategy', 'full-parallel');
    expect(await rejectsOf('b.csv')).toHaveLength(Math.min(bad, max === '2' ? 3 : bad));
    if (code === 0) {
      expect([end.code, (await ids()).length]).toEqual([3, 15 - bad]);
      return;
    }
    expectTold(end, 'ETL_LIMIT', 1, { file: 'b.csv' });
    expect(statusesOf(end.report)).toEqual(['loaded', 'failed']);
    expect(await ids()).toEqual([11, 12, 13, 14, 15]);
  });

  test('maxErrors counts what the table refuses, too, and partitioned is all or nothing', async () => {
    await scene.write({
      'a.csv': rows(11, 5),
      'b.csv': 'id,name,amount\n1,a,-1\n2,b,bad\n3,c,-3\n4,d,4\n',
    });
    const end = await run('*.csv', '--max-errors', '2', '--strategy', 'partitioned');
    expectTold(end, 'ETL_LIMIT', 1, { file: 'b.csv' });
    expect((await rejectsOf('b.csv')).map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(await ids()).toEqual([]);
  });

  test('the ledger keeps how many, and a second run skips the file', async () => {
    await scene.write({ 'a.csv': rows(1, 10, [3]) });
    await run('a.csv');
    const path = join(scene.folder, 'a.csv');
    const sql =
      'select rows_read::int, inserted::int, rejected::int from etl.ledger where path = $1';
    expect(await scene.db.query(sql, [path])).toEqual([
      { rows_read: 10, inserted: 9, rejected: 1 },
    ]);
    const again = await run('a.csv');
    expect([again.code, statusesOf(again.report)]).toEqual([0, ['skipped']]);
    expect(await rejectsOf('a.csv')).toHaveLength(1);
  });
});

describe('the folder', () => {
  test('cannot be made: nothing is loaded', async () => {
    await scene.write({ 'a.csv': rows(1, 3, [2]), file: 'no folder' });
    const end = await run('a.csv', '--rejects', 'file/rejects');
    expectTold(end, 'ETL_USAGE', 2);
    expect(end.error?.sentence).toContain('Rejected rows cannot be written');
    expect(await ids()).toEqual([]);
  });

  test('is not there afterwards where no row was bad', async () => {
    await scene.write({ 'a.csv': rows(1, 3) });
    const end = await run('a.csv', '--rejects', 'new/folder');
    expect([end.code, (await readdir(scene.folder)).sort()]).toEqual([0, ['a.csv']]);
  });

  test('files of one name have reject files of their own', async () => {
    for (const name of ['x', 'y', 'z']) {
      await mkdir(join(scene.folder, name));
      await writeFile(join(scene.folder, name, 'a.csv'), rows(1, 3, name === 'y' ? [] : [2]));
    }
    const end = await run('*/a.csv');
    expect(filesOf(end.report).map(({ rejects }) => rejects?.slice(scene.folder.length))).toEqual([
      '/rejects/a.csv.rejects.csv',
      undefined,
      '/rejects/a.csv-3.rejects.csv',
    ]);
    expect((await readdir(join(scene.folder, 'rejects'))).length).toBe(2);
  });

  test('a link in the place of a reject file is replaced, not followed', async () => {
    await scene.write({ 'a.csv': rows(1, 3, [2]), precious: 'stays' });
    await mkdir(join(scene.folder, 'rejects'));
    const place = join(scene.folder, 'rejects', 'a.csv.rejects.csv');
    await symlink(join(scene.folder, 'precious'), place);
    await run('a.csv');
    expect(await readFile(join(scene.folder, 'precious'), 'utf8')).toBe('stays');
    expect((await lstat(place)).isSymbolicLink()).toBe(false);
    expect(await rejectsOf('a.csv')).toHaveLength(1);
  });
});

test('the built command ends with exit code 3 and names the file', async () => {
  await scene.write({ 'a.csv': rows(1, 10, [3]) });
  const words = ['run', 'a.csv', '--table', scene.table, '--database-url', scene.db.url];
  const end = await runCli([...words, ...QUARANTINE], { cwd: scene.folder });
  expect([end.code, end.stderr]).toEqual([3, '']);
  expect(end.stdout).toContain(
    `1 row rejected: ${join(scene.folder, 'rejects/a.csv.rejects.csv')}`,
  );
});

test('a corrected reject file is loaded as a file of its own as docs/running-again.md says', async () => {
  await scene.write({ 'a.csv': rows(1, 10, [3]) });
  await run('a.csv');
  const path = join(scene.folder, 'rejects/a.csv.rejects.csv');
  const rejected = await readFile(path, 'utf8');
  await writeFile(path, rejected.replace(/,3,n3,bad$/m, ',3,n3,33'));
  const [, columns = ''] = /--columns (etl_record=\S+)/.exec(page) ?? [];
  const end = await scene.run([path, '--columns', columns]);
  expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([0, { inserted: 1 }]);
  const [row] = await scene.db.query(`select amount from ${scene.table} where id = 3`);
  expect(row).toEqual({ amount: 33 });
});
