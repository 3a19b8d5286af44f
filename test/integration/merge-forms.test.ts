import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { load } from '../support/load.ts';
import { watchedPool } from '../support/watched-pool.ts';

/** Rows whose keys look new are inserted without ON CONFLICT; a wrong guess must cost nothing. */
describe('keys that look new', () => {
  let db: TestDatabase;
  let folder: string;
  const statements: string[] = [];

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-new-keys-'));
    const lines = Array.from({ length: 20_000 }, (_, row) => `${row},value ${row}\n`);
    await writeFile(join(folder, 'a.csv'), `id,v\n${lines.join('')}7,last\n`);
  });
  afterEach(() => expectNoLeaks(db.url));
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('are all inserted into an empty table, duplicates inside the file once', async () => {
    await db.query('create table t (id bigint primary key, v text)');
    const { report } = await loadInto('t');
    expect(report.loads[0]?.totals).toMatchObject({ inserted: 20_000, updated: 0, superseded: 1 });
    expect(await db.query(`select v from t where id = 7`)).toEqual([{ v: 'last' }]);
    expect(formsOf(statements)).toEqual(['plain']);
  });

  it('fall back where one key of the table escaped the sample', async () => {
    await db.query('create table one (id bigint primary key, v text)');
    await db.query(`insert into one values (12346, 'old'), (-1, 'stays')`);
    const { report } = await loadInto('one');
    expect(report.error).toBeNull();
    expect(report.loads[0]?.totals).toMatchObject({ inserted: 19_999, updated: 1, unchanged: 0 });
    expect(await db.query('select v from one where id in (-1, 12346) order by id')).toEqual([
      { v: 'stays' },
      { v: 'value 12346' },
    ]);
    expect(await db.query('select count(*) from one')).toEqual([{ count: '20001' }]);
    expect(formsOf(statements)).toEqual(['plain', 'on conflict']);
  });

  it('fall back where an exclusion refuses the row that is to be updated', async () => {
    await db.query(
      `create table held (id int8range, v text, exclude using gist (id with &&));
       alter table held add primary key (id);
       insert into held values ('[12346,12346]', 'old')`,
    );
    const lines = Array.from({ length: 20_000 }, (_, row) => `"[${row},${row}]",value ${row}\n`);
    await writeFile(join(folder, 'ranges.csv'), `id,v\n${lines.join('')}`);
    const { report } = await load(
      db.url,
      { loads: [{ table: 'held', files: ['ranges.csv'] }] },
      { cwd: folder },
    );
    expect(report.error).toBeNull();
    expect(report.loads[0]?.totals).toMatchObject({ inserted: 19_999, updated: 1 });
  });

  it('and rows that are unchanged are neither written nor locked', async () => {
    await db.query('create table same (id bigint primary key, v text)');
    await loadInto('same');
    await db.query(`update same set v = 'changed' where id = 11`);
    const before = await db.query(
      `select sum(xmin::text::int8 + xmax::text::int8) as s from same where id <> 11`,
    );
    const { report } = await load(
      db.url,
      { loads: [{ table: 'same', files: ['a.csv'] }] },
      // Otherwise the client would find most of them before they are sent.
      { cwd: folder, force: true, comparedRowsMin: 1_000_000 },
    );
    const counts = { inserted: 0, updated: 1, unchanged: 19_999, superseded: 1 };
    expect(report.loads[0]?.totals).toMatchObject(counts);
    expect(await db.query(`select v from same where id = 11`)).toEqual([{ v: 'value 11' }]);
    const after = await db.query(
      `select sum(xmin::text::int8 + xmax::text::int8) as s from same where id <> 11`,
    );
    expect(after).toEqual(before);
  });

  /** Of the statements that write rows into the table. */
  function formsOf(sent: readonly string[]): string[] {
    const merges = sent.filter((sql) => /insert into "public"/.test(sql));
    return merges.map((sql) => (sql.includes('on conflict') ? 'on conflict' : 'plain'));
  }

  function loadInto(table: string): ReturnType<typeof load> {
    statements.length = 0;
    const parts = { createPool: watchedPool(statements) };
    return load(db.url, { loads: [{ table, files: ['a.csv'] }] }, { cwd: folder, parts });
  }
});
