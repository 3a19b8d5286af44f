import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { reportSchema } from '../../src/report/report-schema.ts';
import { closeGateSql, untilWaiting } from '../support/faults.ts';
import { load, planJob } from '../support/load.ts';
import { rowsOfColumns, writeTwins, type TwinColumn } from '../support/twin-files.ts';
import { tableDigest } from '../../tools/oracle.ts';
import { type LoadInput, useTargets } from '../support/targets-scene.ts';

/** Rows that go to several tables in one transaction. */
const { scene, jobOf, run, raw, names, targetsOf } = useTargets();

/** As a JSON file has it. */
function valueOf(text: string | null): unknown {
  if (text === null || /^-?\d+(?:\.\d+)?$/.test(text)) return text === null ? null : Number(text);
  return text === 'true' ? true : text === 'false' ? false : text;
}

describe('two targets', () => {
  test('every row is appended to the one, new keys are added to the other, and both are counted', async () => {
    await scene.db.query(`insert into ${scene.table}_names values ('ada', 0)`);
    await scene.write({
      'a.csv': 'username,n\nada,1\nben,2\nben,3\n',
      'b.csv': 'username,n\nben,4\ncarl,5\n',
    });
    const { plan, report } = await run(jobOf({}, { concurrency: 1 }));
    expect([report.status, report.loads[0]?.totals]).toMatchObject(['loaded', { inserted: 5 }]);
    expect(await raw()).toEqual([
      { username: 'ada', n: 1 },
      { username: 'ben', n: 2 },
      { username: 'ben', n: 3 },
      { username: 'ben', n: 4 },
      { username: 'carl', n: 5 },
    ]);
    expect(await names()).toEqual([
      { username: 'ada', n: 0 },
      { username: 'ben', n: 2 },
      { username: 'carl', n: 5 },
    ]);
    const table = `public.${scene.table}_names`;
    const counts = { inserted: 2, updated: 0, filtered: 0 };
    expect(targetsOf(report)).toMatchObject([{ table, ...counts }]);
    const { unchanged = 0, superseded = 0 } = targetsOf(report)?.[0] ?? {};
    expect((unchanged ?? 0) + (superseded ?? 0)).toBe(3);
    expect(plan.loads[0]?.targets).toMatchObject([
      { table: { sqlName: table }, key: ['username'] },
    ]);
    const schema = z.fromJSONSchema(JSON.parse(JSON.stringify(reportSchema)) as never);
    expect(schema.safeParse(report).error).toBeUndefined();
  });

  test('a run that is repeated loads nothing, into neither', async () => {
    await scene.write({ 'a.csv': 'username,n\nada,1\n' });
    await run(jobOf());
    const { report } = await run(jobOf());
    expect(report.loads[0]?.files.map(({ status }) => status)).toEqual(['skipped']);
    expect(targetsOf(report)).toMatchObject([{ inserted: 0 }]);
    expect(await raw()).toHaveLength(1);
  });

  test('a load with another list of targets means something else', async () => {
    await scene.write({ 'a.csv': 'username,n\nada,1\n' });
    const print = async (change: Partial<LoadInput>) => {
      const { planId, loads } = await planJob(scene.db.url, jobOf(change), { cwd: scene.folder });
      return [planId, loads[0]?.fingerprint];
    };
    const table = `${scene.table}_names`;
    const prints = [
      await print({}),
      await print({ targets: [] }),
      await print({ targets: [{ table, onConflict: 'ignore', where: 'n > 1' }] }),
      await print({ targets: [{ table, onConflict: 'update' }] }),
    ];
    expect(new Set(prints.map(([planId]) => planId)).size).toBe(4);
    expect(new Set(prints.map(([, fingerprint]) => fingerprint)).size).toBe(4);
  });

  test('a further table is created, with the columns that the job names', async () => {
    await scene.write({ 'a.csv': 'username,n\nada,1\nben,2\n' });
    const table = `${scene.table}_seen`;
    const columns = { username: 'who' };
    const targets: LoadInput['targets'] = [{ table, key: ['who'], columns, onConflict: 'ignore' }];
    const { report } = await run(jobOf({ targets }));
    expect(report.error).toBeNull();
    expect(await scene.db.query(`select * from ${table} order by who`)).toEqual([
      { who: 'ada' },
      { who: 'ben' },
    ]);
    await scene.write({ 'b.csv': 'username,n\nben,3\ncarl,4\n' });
    expect(targetsOf((await run(jobOf({ targets }))).report)).toMatchObject([{ inserted: 1 }]);
  });

  test('where leaves rows out, by columns of either table', async () => {
    await scene.write({ 'a.csv': 'username,n\nada,1\nben,2\ncarl,\n' });
    const targets = [
      { table: `${scene.table}_names`, columns: { n: null }, where: "n > 1 or username = 'ada'" },
    ];
    const { report } = await run(jobOf({ targets }));
    expect(targetsOf(report)).toMatchObject([{ inserted: 2, filtered: 1 }]);
    expect(await names()).toEqual([
      { username: 'ada', n: null },
      { username: 'ben', n: null },
    ]);
  });

  test('a name that both tables have means the column of the further one in where', async () => {
    await scene.write({ 'a.csv': 'username,n,m\nada,1,5\nben,5,1\n' });
    const target = { table: `${scene.table}_names`, columns: { n: null, m: 'n' }, where: 'n > 1' };
    const { report } = await run(jobOf({ columns: { m: null }, targets: [target] }));
    expect(targetsOf(report)).toMatchObject([{ inserted: 1, filtered: 1 }]);
    expect(await names()).toEqual([{ username: 'ada', n: 5 }]);
  });

  test('a value goes to columns of different types as to each alone', async () => {
    await scene.db.query(
      `create table ${scene.table}_texts (n text, username varchar(3) primary key)`,
    );
    await scene.write({ 'a.csv': 'username,n\nada,007\nben,""\n' });
    const targets = [{ table: `${scene.table}_texts` }];
    const { report } = await run(jobOf({ targets }));
    expect(report.error).toBeNull();
    expect(await raw()).toEqual([
      { username: 'ada', n: 7 },
      { username: 'ben', n: null },
    ]);
    expect(await scene.db.query(`select * from ${scene.table}_texts order by username`)).toEqual([
      { username: 'ada', n: '007' },
      { username: 'ben', n: '' },
    ]);
  });

  test.for(['csv', 'parquet', 'jsonl'])(
    'tables of other types are as loads of their own would leave them (%s)',
    async (format) => {
      await scene.db.query(
        ['', '_alone']
          .map(
            (suffix) =>
              `create table ${scene.table}_typed${suffix} (id bigint primary key, s text, day date,
                 flag boolean, amount numeric(10,2), at timestamp);
               create table ${scene.table}_loose${suffix} (id numeric, s varchar(9) collate "C",
                 day text primary key, flag text, amount double precision, at timestamptz)`,
          )
          .join(';'),
      );
      const columns: TwinColumn[] = [
        { name: 'id', type: { kind: 'integer', bits: 64, signed: true }, texts: ['1', '2', '3'] },
        { name: 's', type: { kind: 'string' }, texts: ['x', 'ä', null] },
        { name: 'day', type: { kind: 'date' }, texts: ['2024-02-29', '1969-12-31', '2001-01-01'] },
        { name: 'flag', type: { kind: 'boolean' }, texts: ['true', 'false', null] },
        {
          name: 'amount',
          type: { kind: 'decimal', precision: 9, scale: 3 },
          texts: ['1.005', '-2', null],
        },
        {
          name: 'at',
          type: { kind: 'timestamp', unit: 'us', utc: false, int96: false },
          texts: ['2024-01-01 10:00:00', null, '1999-12-31 23:59:59.5'],
        },
      ];
      const { csv, parquet } = await writeTwins(scene.folder, 'twins', columns);
      const { rows } = rowsOfColumns(columns);
      const objects = rows.map((row) =>
        Object.fromEntries(
          row.map((text, place) => [columns[place]?.name ?? '', valueOf(text)] as const),
        ),
      );
      const jsonl = join(scene.folder, 'twins.jsonl');
      await writeFile(jsonl, objects.map((one) => JSON.stringify(one)).join('\n'));
      const files = [{ csv, parquet, jsonl }[format] ?? ''];
      const [typed, loose] = [`${scene.table}_typed`, `${scene.table}_loose`];
      const joint = await run({ loads: [{ files, table: typed, targets: [{ table: loose }] }] });
      expect(joint.report.error).toBeNull();
      await run({
        loads: [
          { files, table: `${typed}_alone` },
          { files, table: `${loose}_alone` },
        ],
      });
      for (const table of [typed, loose]) {
        const together = await scene.db.query(tableDigest(table));
        expect(together).toEqual(await scene.db.query(tableDigest(`${table}_alone`)));
        expect(together[0]?.['digest']).toContain('3 rows');
      }
    },
  );

  test('a key that is staged as text is the one that the table keeps, without the blanks', async () => {
    const { db } = scene;
    await db.query(
      `create table short (code varchar(3) primary key, n int);
       create table long (code text, n int)`,
    );
    await scene.write({
      'a.csv': 'code,n\nabc,1\n"abc  ",2\nx,3\n',
      'b.csv': 'code,n\n"abc ",4\n',
    });
    const targets = [{ table: 'long', onConflict: 'append' as const }];
    const ofShort = { table: 'short', onConflict: 'update' as const, targets };
    const { report } = await run(jobOf(ofShort, { concurrency: 2 }));
    expect([report.error, report.status]).toEqual([null, 'loaded']);
    const kept = await db.query(`select code, n from short order by code`);
    expect(kept).toEqual([
      { code: 'abc', n: 4 },
      { code: 'x', n: 3 },
    ]);
    expect(await db.query(`select from long where code like 'abc%'`)).toHaveLength(3);
    await scene.write({ 'c.csv': 'code,n\nfine,1\n' });
    const files = ['c.csv'];
    const { report: refused } = await run(jobOf({ ...ofShort, files }));
    expect(refused.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      facts: { file: 'c.csv', line: 1, column: 'code', value: 'fine' },
    });
    await db.query('drop table short, long');
  });

  test('files without a header are mapped by the columns of the first table', async () => {
    await scene.write({ 'a.csv': 'ada,1\n' });
    const first = `${scene.table}_first`;
    await scene.db.query(`create table ${first} (username text primary key, n int)`);
    const csv = { header: false };
    const { report } = await run(jobOf({ table: first, onConflict: 'update', csv }));
    expect(report.error).toBeNull();
    expect(await names()).toEqual([{ username: 'ada', n: 1 }]);
  });

  test('JSON Lines go to both', async () => {
    await scene.write({ 'a.jsonl': '{"username":"ada","n":1}\n{"username":"ben","n":2}\n' });
    const { report } = await run(jobOf({ files: ['a.jsonl'] }));
    expect(targetsOf(report)).toMatchObject([{ inserted: 2 }]);
    expect(await raw()).toHaveLength(2);
  });

  test.for(['a key of the second table', 'a key of the first table'])(
    'a unit waits for an earlier one that shares %s',
    async (shared) => {
      const first = `${scene.table}_first`;
      await scene.db.query(`create table ${first} (n int primary key, username text)`);
      const second = shared === 'a key of the second table';
      await scene.write({
        // The gate is in the way of the first file, before it has written any other key.
        'a.csv': 'username,n\nmerge gate,1\nname a,2\n',
        'b.csv': second ? 'username,n\nname a,3\n' : 'username,n\nname b,2\n',
      });
      const gate = await scene.db.client();
      await gate.query(closeGateSql('merge'));
      const [own, further] = second
        ? [first, `${scene.table}_names`]
        : [`${scene.table}_names`, first];
      const targets: LoadInput['targets'] = [{ table: further, onConflict: 'update' }];
      const change = {
        table: own,
        onConflict: 'update',
        targets,
        strategy: 'full-parallel',
      } as const;
      let end = (): void => undefined;
      const ended = new Promise<void>((resolve) => (end = resolve));
      const running = load(scene.db.url, jobOf(change, { concurrency: 2 }), {
        cwd: scene.folder,
        onEvent: (event) => {
          if (event.kind === 'file-finished' && event.file === 1) end();
        },
      });
      await untilWaiting(scene.db, 'merge');
      // It would be merged by then, if it did not wait.
      await Promise.race([ended, sleep(300)]);
      await gate.end();
      expect((await running).report.error).toBeNull();
      const sql = `select username, n from ${further} where username like 'name %'`;
      expect(await scene.db.query(sql)).toEqual([
        second ? { username: 'name a', n: 3 } : { username: 'name b', n: 2 },
      ]);
    },
  );
});

describe('what cannot be', () => {
  const refused = async (change: Partial<LoadInput>): Promise<string> => {
    await scene.write({ 'a.csv': 'username,n\nada,1\n' });
    return planJob(scene.db.url, jobOf(change), { cwd: scene.folder }).then(
      () => 'planned',
      (error: unknown) => String(error),
    );
  };
  test('is refused with what is wrong', async () => {
    const table = `${scene.table}_names`;
    expect(await refused({ targets: [{ table: scene.table }] })).toContain(
      'takes the rows already; a row goes to each table once',
    );
    expect(
      await refused({ targets: [{ table: `public.${scene.table}`, onConflict: 'append' }] }),
    ).toContain(`The rows of one load go to public.${scene.table} twice`);
    expect(await refused({ strategy: 'partitioned' })).toContain('"partitioned" writes one table');
    expect(await refused({ targets: [{ table, onConflict: 'newest' }] })).toMatch(
      /loads\[0\]\.targets\[0\]\.versionColumn.* is missing/,
    );
    expect(await refused({ targets: [{ table, where: 'm > 1' }] })).toContain(
      'column "m" does not exist',
    );
    expect(await refused({ targets: [{ table, where: 'n > 1)' }] })).toContain(
      'its parentheses do not match',
    );
    expect(await refused({ targets: [{ table, columns: { user: 'username' } }] })).toContain(
      'No file has a column "user"',
    );
    await scene.db.query(`create table ${scene.table}_lists (username text[] primary key)`);
    expect(await refused({ files: ['*.csv'], targets: [{ table: `${scene.table}_lists` }] })).toBe(
      'planned',
    );
    await scene.db.query(`create table ${scene.table}_open (username text unique, n int)`);
    const open = { table: `${scene.table}_open`, key: ['username'], where: 'n > 1' };
    expect(await refused({ targets: [open] })).toContain('may be NULL, and where leaves rows out');
  });

  test('tables that refer to each other are merged in order', async () => {
    await scene.db.query(
      `create table ${scene.table}_posts (username text references ${scene.table}_names, n int)`,
    );
    await scene.write({ 'a.csv': 'username,n\nada,1\n', 'b.csv': 'username,n\nada,2\n' });
    const own = { table: `${scene.table}_names`, onConflict: 'ignore' } as const;
    const targets = [{ table: `${scene.table}_posts`, onConflict: 'append' } as const];
    const { plan, report } = await run(jobOf({ ...own, targets }, { concurrency: 4 }));
    expect(plan.loads[0]).toMatchObject({
      strategy: 'sequential',
      couplings: [{ kind: 'foreign key' }],
    });
    expect(report.error).toBeNull();
  });
});
