import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tableChecks } from '../../src/check/doctor/table-checks.ts';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob } from '../../src/job/define-job.ts';
import { silentLog } from '../../src/log.ts';
import { connect } from '../../src/target/connect.ts';
import { load } from '../support/load.ts';
import { useTargets } from '../support/targets-scene.ts';

/** What etl doctor and etl verify say of a load into several tables. */
const { scene, jobOf, run, names } = useTargets();

test('etl doctor looks at the privileges on each table', async () => {
  const connection = await connect({
    ...{ databaseUrl: scene.db.url, applicationName: 'etl doctor', connectTimeoutMs: 10_000 },
    session: {},
  });
  const targets = [{ table: `${scene.table}_names` }, { table: 'no_such_table' }];
  const checks = await tableChecks(connection, [
    ...defineJob(jobOf({ targets, createTable: false }), scene.folder).loads,
  ]);
  await connection.end();
  expect(checks).toMatchObject([
    { name: `privileges on ${scene.table}`, state: 'pass' },
    { name: `privileges on ${scene.table}_names`, state: 'pass' },
    { name: 'privileges on no_such_table', state: 'fail' },
  ]);
});

test('etl verify compares each table', async () => {
  await scene.write({ 'a.csv': 'username,n\nada,1\nben,2\n' });
  const job = jobOf();
  await run(job);
  const look = () =>
    verify(defineJob(job, scene.folder), {
      databaseUrl: scene.db.url,
      wholeTable: false,
      cwd: scene.folder,
      log: silentLog,
      now: () => 0,
    });
  expect(await look()).toMatchObject({ equal: true, tables: [{}, { notices: [] }] });
  await scene.db.query(`delete from ${scene.table}_names where username = 'ben'`);
  expect(await look()).toMatchObject({
    equal: false,
    tables: [{ equal: true }, { table: `public.${scene.table}_names`, missing: 1 }],
  });
});

test('etl verify leaves rows that were rejected out of each table, and puts corrected ones in', async () => {
  const { db, folder, table } = scene;
  await db.query(
    `create table ${table}_log (who text not null, amount text, note text not null default 'none')`,
  );
  await scene.write({
    'a.csv': 'username,n,note\nada,bad,x\nben,2,y\nada,3,z\n',
    'b.csv': 'username,n,note\nben,bad,"o, k"\n',
  });
  const log = { table: `${table}_log`, onConflict: 'append' as const };
  const targets = [
    { table: `${table}_names`, onConflict: 'update' as const, columns: { note: null } },
    { ...log, columns: { username: 'who', n: 'amount' } },
  ];
  const job = jobOf({ columns: { note: null }, targets }, { onError: 'quarantine' });
  const look = async () => {
    const options = { databaseUrl: db.url, wholeTable: true, cwd: folder, log: silentLog };
    const { tables } = await verify(defineJob(job, folder), { ...options, now: () => 0 });
    return tables.map(({ equal, missing, changed, extra, notices }) => ({
      ...{ equal, missing, changed, extra },
      rejected: notices.filter((notice) => notice.includes('rejected')).length,
    }));
  };
  const equal = { equal: true, missing: 0, changed: 0, extra: 0, rejected: 1 };
  expect((await run(job)).report.loads[0]?.totals).toMatchObject({ inserted: 2, rejected: 2 });
  expect(await look()).toEqual([equal, equal, equal]);
  for (const [file, amount] of [
    ['a.csv', '07'],
    ['b.csv', '8'],
  ] as const) {
    const path = join(folder, 'rejects', `${file}.rejects.csv`);
    await writeFile(
      path,
      (await readFile(path, 'utf8')).replace(/,bad(?=,(?!.*,bad,))/, `,${amount}`),
    );
    const { report } = await load(db.url, job, { cwd: folder, retryRejects: true });
    expect([file, report.error]).toEqual([file, null]);
    expect(await look()).toEqual([equal, equal, equal]);
  }
  expect(await names()).toEqual([
    { username: 'ada', n: 3 },
    { username: 'ben', n: 8 },
  ]);
  expect(await db.query(`select * from ${table}_log order by amount`)).toEqual([
    { who: 'ada', amount: '07', note: 'x' },
    { who: 'ben', amount: '2', note: 'y' },
    { who: 'ada', amount: '3', note: 'z' },
    { who: 'ben', amount: '8', note: 'o, k' },
  ]);
});
