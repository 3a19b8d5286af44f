import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { etl, expectTold, type EtlEnd } from '../support/etl.ts';
import { planJob, runPlan } from '../support/load.ts';
import { readRejects } from '../support/rejects.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';
import { openTcpProxy, type Fate } from '../support/tcp-proxy.ts';

/** Bad rows corrected in their reject files, and loaded as if they had been good from the first. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name text, n int check (n >= 0));
              insert into ${table} values (9, 'held', 9)`,
);

const HEAD = 'id,name,n\n';

function load(...words: readonly string[]): Promise<EtlEnd> {
  return scene.run(['*.csv', '--on-error', 'quarantine', ...words]);
}

function retry(...words: readonly string[]): Promise<EtlEnd> {
  return scene.run(['*.csv', '--retry-rejects', ...words]);
}

function rejectsOf(name: string): string {
  return join(scene.folder, 'rejects', `${name}.rejects.csv`);
}

async function correct(name: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(rejectsOf(name), 'utf8');
  expect(text).toMatch(from);
  await writeFile(rejectsOf(name), text.replace(from, to));
}

async function rows(): Promise<unknown[]> {
  const found = await scene.db.query(`select id, name, n from ${scene.table} order by id`);
  return found.map(({ id, name, n }) => `${String(id)} ${String(name)} ${String(n)}`);
}

async function verified(...words: readonly string[]): Promise<string> {
  const target = ['--table', scene.table, '--database-url', scene.db.url];
  const end = await etl(['verify', '*.csv', ...target, ...words], { cwd: scene.folder });
  return `${end.code} ${end.stdout}`.replaceAll(/\s+/g, ' ');
}

describe('a corrected row', () => {
  test('loses to rows behind it, and wins over those before it', async () => {
    await scene.write({
      'a.csv': `${HEAD}1,a,bad\n2,a,bad\n3,a,1\n3,a,bad\n4,a,bad\n4,a,2\n9,a,bad\n`,
      'b.csv': `${HEAD}1,b,1\n`,
    });
    expect((await load()).code).toBe(3);
    await correct('a.csv', /(?<=,a,)bad$/gm, '7');
    const end = await retry();
    expect([end.code, end.error, end.report?.loads[0]?.totals]).toMatchObject([
      0,
      null,
      { rowsRead: 5, inserted: 1, updated: 2, superseded: 2, rejected: 0 },
    ]);
    expect(await rows()).toEqual(['1 b 1', '2 a 7', '3 a 7', '4 a 2', '9 a 7']);
    expect(statusesOf(end.report)).toEqual(['loaded', 'skipped']);
    await expect(readFile(rejectsOf('a.csv'))).rejects.toThrow('ENOENT');
    const again = await retry();
    expect([again.code, statusesOf(again.report)]).toEqual([0, ['skipped', 'skipped']]);
    expect(await verified()).toMatch(/^0 .*5 rows were rejected when loaded.*5 of them were corr/);
  });

  test('does not touch what others have changed since, where it loses', async () => {
    await scene.write({ 'a.csv': `${HEAD}1,a,bad\n`, 'b.csv': `${HEAD}1,b,1\n` });
    await load();
    await scene.db.query(`update ${scene.table} set name = 'theirs' where id = 1`);
    await correct('a.csv', /,bad$/m, ',7');
    expect((await retry()).report?.loads[0]?.totals).toMatchObject({ superseded: 1, updated: 0 });
    expect(await rows()).toEqual(['1 theirs 1', '9 held 9']);
  });

  test('with ignore takes the place of what a later file brought, and of nothing else', async () => {
    await scene.write({
      'a.csv': `${HEAD}1,a,bad\n2,a,bad\n3,a,1\n3,a,bad\n4,a,bad\n9,a,bad\n`,
      'b.csv': `${HEAD}1,b,1\n4,b,4\n9,held,9\n`,
    });
    await load('--on-conflict', 'ignore');
    await scene.db.query(`update ${scene.table} set name = 'theirs' where id = 4`);
    await correct('a.csv', /(?<=,a,)bad$/gm, '7');
    const end = await retry('--on-conflict', 'ignore');
    expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([
      0,
      { rowsRead: 5, inserted: 1, updated: 1, rejected: 0 },
    ]);
    expect(await rows()).toEqual(['1 a 7', '2 a 7', '3 a 1', '4 theirs 4', '9 held 9']);
  });

  test('with newest loses to what is newer, and to as new a row behind it', async () => {
    await scene.write({
      'a.csv': `${HEAD}1,a,x1\n2,a,x5\n3,a,x3\n9,a,x9\n`,
      'b.csv': `${HEAD}1,b,1\n2,b,3\n3,b,4\n`,
    });
    const words = ['--on-conflict', 'newest', '--version-column', 'n'];
    await load(...words);
    await correct('a.csv', /(?<=,a,)x(\d)$/gm, '$1');
    const end = await retry(...words);
    expect([end.code, await rows()]).toEqual([0, ['1 b 1', '2 a 5', '3 b 4', '9 a 9']]);
  });

  test('with append is appended once', async () => {
    await scene.db.query(`alter table ${scene.table} drop constraint ${scene.table}_pkey`);
    await scene.write({ 'a.csv': `${HEAD}1,a,bad\n1,a,1\n2,x\n` });
    await load('--on-conflict', 'append');
    await correct('a.csv', /,a,bad$/m, ',a,7');
    const end = await retry('--on-conflict', 'append');
    // The row of two fields was not filled in: it is no row of NULLs.
    expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([
      3,
      { inserted: 1, rejected: 1 },
    ]);
    await correct('a.csv', /,,,$/m, ',2,x,2');
    expect((await retry('--on-conflict', 'append')).code).toBe(0);
    expect((await rows()).sort()).toEqual(['1 a 1', '1 a 7', '2 x 2', '9 held 9']);
  });

  test('that is still bad stays, with its new reason', async () => {
    await scene.write({ 'a.csv': `${HEAD}1,a,bad\n2,a,bad\n3,a,-1\n` });
    await load();
    await correct('a.csv', /2,a,bad$/m, '2,a,-2');
    await correct('a.csv', /1,a,bad$/m, '1,a,1');
    const end = await retry();
    expect([end.code, filesOf(end.report)[0]]).toMatchObject([
      3,
      { rowsRead: 3, inserted: 1, rejected: 2, rejects: rejectsOf('a.csv') },
    ]);
    const left = await readRejects(rejectsOf('a.csv'));
    expect(
      left.map((row) => [
        row['etl_record'],
        row['etl_line'],
        row['etl_column'],
        row['etl_sqlstate'],
      ]),
    ).toEqual([
      ['2', '3', 'n', '23514'],
      ['3', '4', 'n', '23514'],
    ]);
    expect(left[0]?.['etl_raw']).toBe('2,a,bad');
    await correct('a.csv', /2,a,-2$/m, '2,a,2');
    await correct('a.csv', /3,a,-1$/m, '3,a,3');
    expect((await retry()).code).toBe(0);
    expect(await rows()).toEqual(['1 a 1', '2 a 2', '3 a 3', '9 held 9']);
  });

  test('may come back from a spreadsheet, with other line ends, delimiters and order', async () => {
    await scene.write({ 'a.csv': `${HEAD}1,"two\nlines",bad\n2,a,bad\n` });
    await load();
    const text = await readFile(rejectsOf('a.csv'), 'utf8');
    const header = text.split('\n')[0]?.replaceAll(',', ';') ?? '';
    const saved = [header, '2;4;9;;;;;2;a;5', '1;2;;;;;;1;"two\nlines";4', ''].join('\r\n');
    await writeFile(rejectsOf('a.csv'), `\uFEFF${saved}`);
    expect((await retry()).code).toBe(0);
    expect(await rows()).toEqual(['1 two\nlines 4', '2 a 5', '9 held 9']);
  });

  test('of JSON and in groups of small files goes to its place, too', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [
        `f${10 + at}.jsonl`,
        `{"id":${at + 20},"name":"x","n":${at === 4 ? '"bad"' : 1}}\n{"id":1,"name":"f${at}","n":2}\n`,
      ]),
    );
    await scene.write(many);
    const flags = ['--strategy', 'full-parallel', '--concurrency', '1'];
    const end = await scene.run(['*.jsonl', '--on-error', 'quarantine', ...flags]);
    expect([end.code, end.report?.loads[0]?.totals.rejected]).toEqual([3, 1]);
    await correct('f14.jsonl', /24,x,bad$/m, '1,corrected,2');
    expect((await scene.run(['*.jsonl', '--retry-rejects'])).code).toBe(0);
    const [row] = await scene.db.query(`select name from ${scene.table} where id = 1`);
    expect(row).toEqual({ name: 'f11' });
  });
});

test('etl verify leaves rows out that were rejected, and says so', async () => {
  await scene.write({ 'a.csv': `${HEAD}1,a,bad\n2,a,-1\n3,a,3\n4,a\n`, 'b.csv': `${HEAD}3,b,3\n` });
  await load();
  expect(await verified()).toMatch(
    /^0 .*a\.csv: 3 rows were rejected when loaded, and are left out\./,
  );
  await scene.db.query(
    `insert into ${scene.table} values (2, 'x', 1); delete from ${scene.table} where id = 3`,
  );
  expect(await verified('--whole-table')).toMatch(
    /^1 .*1 missing from the table, 2 in the table but/,
  );
});

describe('what cannot be retried', () => {
  test('a later file that has changed since', async () => {
    await scene.write({ 'a.csv': `${HEAD}1,a,bad\n`, 'b.csv': `${HEAD}1,b,1\n` });
    await load();
    await correct('a.csv', /,bad$/m, ',7');
    await scene.write({ 'b.csv': `${HEAD}1,b,1\n2,b,2\n` });
    expectTold(await retry(), 'ETL_FILE_CHANGED', 1, { file: 'b.csv' });
    expect(await rows()).toEqual(['1 b 1', '9 held 9']);
    expect((await load()).code).toBe(0);
    expect((await retry()).code).toBe(0);
    expect(await rows()).toEqual(['1 b 1', '2 b 2', '9 held 9']);
  });

  test('a later file that the job does not name', async () => {
    await scene.write({ 'a.csv': `${HEAD}1,a,bad\n`, 'b.csv': `${HEAD}1,b,1\n` });
    await load();
    await correct('a.csv', /,bad$/m, ',7');
    const end = await scene.run(['a.csv', '--retry-rejects']);
    expectTold(end, 'ETL_USAGE', 2, { file: join(scene.folder, 'b.csv') });
  });

  test.each([
    ['another header', /etl_raw,id/, 'etl_raw,key', 'its header is not the one'],
    ['a record that was not rejected', /^1,2,/m, '2,2,', 'etl_record \\"2\\", and no such'],
    ['a row twice', /^(1,2,.*\n)/m, '$1$1', 'record 1 comes twice'],
    ['another number of fields', /,a,bad$/m, ',a', 'has 9 fields, its header 10'],
  ])('a reject file with %s', async (_, from, to, says) => {
    await scene.write({ 'a.csv': `${HEAD}1,a,bad\n2,b,1\n` });
    await load();
    await correct('a.csv', from, to);
    const end = await retry();
    expectTold(end, 'ETL_USAGE', 2, { file: rejectsOf('a.csv') });
    expect(end.error?.sentence.replaceAll('"', '\\"')).toContain(says);
    expect(await rows()).toEqual(['2 b 1', '9 held 9']);
  });

  test('a reject file that is gone is told', async () => {
    await scene.write({ 'a.csv': `${HEAD}1,a,bad\n2,b,1\n` });
    await load();
    await rm(rejectsOf('a.csv'));
    const end = await retry();
    expect([end.code, statusesOf(end.report)]).toEqual([0, ['skipped']]);
    expect(end.stdout).toContain('their reject file is gone');
  });

  test('--force beside it', async () => {
    await scene.write({ 'a.csv': `${HEAD}1,a,1\n` });
    const end = await retry('--force');
    expect([end.code, end.stderr]).toEqual([2, expect.stringContaining('contradict each other')]);
  });
});

test.each(['', '_log'])(
  'another table takes the place of the table%s meanwhile: nothing is corrected',
  async (which) => {
    const { db, folder, table } = scene;
    const swapped = `${table}${which}`;
    await db.query(`create table ${table}_log (id int, name text)`);
    const targets = [{ table: `${table}_log`, onConflict: 'append' }];
    const loads = [{ table, files: ['*.csv'], targets }];
    await scene.write({
      'a.csv': `${HEAD}1,a,bad\n`,
      'job.json': JSON.stringify({ loads, settings: { onError: 'quarantine' } }),
    });
    const words = ['run', '--config', 'job.json', '--database-url', db.url];
    expect((await etl(words, { cwd: folder })).code).toBe(3);
    await correct('a.csv', /,bad$/m, ',7');
    const other = await db.client();
    await other.query(`begin; create table ${table}_new (like ${swapped} including all);
                       lock table ${swapped} in exclusive mode`);
    const running = etl([...words, '--retry-rejects'], { cwd: folder });
    const blocked = `select from pg_stat_activity where datname = current_database()
                        and application_name like 'etl %' and wait_event_type = 'Lock'`;
    await expect.poll(() => db.query(blocked), { timeout: 10_000 }).not.toEqual([]);
    await other.query(`alter table ${swapped} rename to ${table}_old;
                       alter table ${table}_new rename to ${swapped}; commit`);
    await other.end();
    expectTold(await running, 'ETL_PLAN_STALE', 2);
    const written = [table, `${table}_log`, `${table}_old`].map((name) => `select id from ${name}`);
    expect(await db.query(written.join(' union all '))).toEqual([{ id: 9 }]);
    expect(await readRejects(rejectsOf('a.csv'))).toMatchObject([{ id: '1', n: '7' }]);
  },
);

/** What only reads leaves nothing behind; and lost answers matter where they are those of a commit. */
test.each<readonly [Fate, RegExp]>([
  ['kill-before', /^\s*(?!select|show|set)\w/i],
  ['kill-after', /^\s*commit/i],
])(
  'a retry whose backend is killed, at every statement that writes: %s',
  async (fate, counts) => {
    const { db, folder, table } = scene;
    await scene.write({
      'a.csv': `${HEAD}1,a,bad\n2,a,bad\n3,a,bad\n`,
      'b.csv': `${HEAD}1,b,1\n`,
    });
    const job = {
      settings: { onError: 'quarantine' as const },
      loads: [{ table, files: ['*.csv'], onConflict: 'append' as const }],
    };
    await db.query(`alter table ${table} drop constraint ${table}_pkey`);
    let tried = 0;
    for (let nth = 1; ; nth++) {
      await db.query(`truncate ${table}; drop schema if exists etl cascade`);
      await runPlan(db.url, await planJob(db.url, job, { cwd: folder }), {});
      await correct('a.csv', /(?<=[12],a,)bad$/gm, '7');
      const planned = await planJob(db.url, job, { cwd: folder });
      let statements = 0;
      const proxy = await openTcpProxy(db.url, {
        fateOf: (statement) => (counts.test(statement) && ++statements === nth ? fate : 'pass'),
        kill: (pid) => db.query('select pg_terminate_backend($1)', [pid]),
      });
      try {
        await runPlan(proxy.url, planned, { retryRejects: true }).catch(() => null);
      } finally {
        await proxy.close();
      }
      const next = await planJob(db.url, job, { cwd: folder });
      const report = await runPlan(db.url, next, { retryRejects: true });
      expect(report.error).toBeNull();
      expect((await rows()).sort()).toEqual(['1 a 7', '1 b 1', '2 a 7']);
      expect(await readRejects(rejectsOf('a.csv'))).toMatchObject([{ id: '3', n: 'bad' }]);
      if (statements < nth) break;
      tried++;
    }
    process.stdout.write(`faults: retry of rejects, ${fate}: ${tried} tried, none wrong\n`);
    expect(tried).toBeGreaterThan(1);
  },
  120_000,
);
