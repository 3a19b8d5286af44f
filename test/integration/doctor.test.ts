import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import type { Check, DoctorReport } from '../../src/check/doctor/doctor-types.ts';
import { etl } from '../support/etl.ts';
import { useScene } from '../support/scene.ts';
import { openTransactionPooler } from '../support/transaction-pooler.ts';

/** Each check of the doctor, provoked on a real server, and the same checks where all is well. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const FILES = { 'a.csv': 'id,name\n1,a\n2,a\n', 'b.csv': 'id,name\n2,b\n3,b\n' };
const roles: string[] = [];

afterEach(async () => {
  for (const role of roles.splice(0)) {
    await scene.db.query(`drop owned by ${role}`);
    await scene.db.query(`drop role ${role}`);
  }
});

async function doctor(...words: string[]): Promise<ReadonlyMap<string, Check>> {
  const url = words.includes('--database-url') ? [] : ['--database-url', scene.db.url];
  const end = await etl(['doctor', ...words, ...url, '--json'], { cwd: scene.folder });
  expect(end.stderr).not.toContain('[ETL_');
  const report = JSON.parse(end.stdout) as DoctorReport;
  expect([end.code, report.ok]).toEqual(
    report.checks.some((check) => check.state === 'fail') ? [1, false] : [0, true],
  );
  for (const check of report.checks) {
    expect(check.remedy === '').toBe(check.state === 'pass' || check.state === 'skip');
  }
  return new Map(report.checks.map((check) => [check.name, check]));
}

/** Of the job that loads the scene's files into its table. */
async function doctorOfJob(
  load: object = {},
  ...words: string[]
): Promise<ReadonlyMap<string, Check>> {
  await scene.write(FILES);
  const job = { loads: [{ table: scene.table, files: ['*.csv'], ...load }] };
  await writeFile(join(scene.folder, 'job.json'), JSON.stringify(job));
  return doctor('--config', 'job.json', ...words);
}

/** A role without any privilege of its own, and the URL by which it connects. */
async function newRole(name: string): Promise<{ readonly role: string; readonly url: string }> {
  const role = `${name}_${scene.db.name}`;
  await scene.db.query(`create role ${role} login password 'secret'`);
  roles.push(role);
  return { role, url: scene.db.url.replace(/\/\/[^@/]*@/, `//${role}:secret@`) };
}

test('a server and a job that are well pass', async () => {
  const checks = await doctorOfJob();
  const states = [...checks.values()].map(({ name, state }) => [name, state]);
  expect(Object.fromEntries(states)).toEqual({
    connection: 'pass',
    'server version': 'pass',
    primary: 'pass',
    connections: 'pass',
    pooler: 'pass',
    TLS: 'pass',
    replication: 'skip',
    memory: 'pass',
    disk: 'pass',
    'embedded server': 'skip',
    'privilege to stage': 'pass',
    'privilege on the ledger': 'pass',
    'left-overs': 'pass',
    'prepared transactions': 'skip',
    [`privileges on ${scene.table}`]: 'pass',
    job: 'pass',
    [`order on public.${scene.table}`]: 'pass',
  });
  expect(await scene.db.query(`select to_regnamespace('etl') as schema`)).toEqual([
    { schema: null },
  ]);
});

test('people are told the state, the sentence and the remedy', async () => {
  const words = ['doctor', '--database-url', 'postgres://nobody@127.0.0.1:1/x'];
  const end = await etl(words, { cwd: scene.folder });
  expect(end.code).toBe(1);
  expect(end.stdout).toMatch(/^fail {2}connection {2}No connection to PostgreSQL: .*ECONNREFUSED/);
  expect(end.stdout).toContain('Is the server running there?');
  expect(end.stdout).toContain('Not healthy: 0 pass, 0 warn, 1 fail, exit code 1');
});

test('privileges on tables that values are looked up in, as far as they are needed', async () => {
  const { db, table } = scene;
  await db.query(`create table ${table}_names (name text primary key)`);
  const { role, url } = await newRole('reader');
  const checkOf = async (insertMissing: boolean) => {
    const lookup = { column: 'name', table: `${table}_names`, match: 'name', into: 'name' };
    const load = { lookups: [{ ...lookup, insertMissing }] };
    const checks = await doctorOfJob(load, '--database-url', url);
    return checks.get(`privileges on ${table}_names`);
  };
  expect(await checkOf(false)).toMatchObject({
    state: 'fail',
    remedy: `grant select on ${table}_names to ${role};`,
  });
  await db.query(`grant select on ${table}_names to ${role}`);
  expect((await checkOf(false))?.state).toBe('pass');
  expect(await checkOf(true)).toMatchObject({
    state: 'fail',
    remedy: `grant insert on ${table}_names to ${role};`,
  });
});

test('privileges that are missing, each with the statement that grants it', async () => {
  const { db, table } = scene;
  await db.query(`create table only_${table} (id int primary key, name text)`);
  const { role, url } = await newRole('poor');
  await db.query(`revoke temporary on database ${db.name} from public`);
  const asked = ['--database-url', url];
  const before = await doctorOfJob({}, ...asked);
  expect(before.get('privilege to stage')).toMatchObject({
    state: 'fail',
    remedy: `grant temporary on database ${db.name} to ${role};`,
  });
  expect(before.get('privilege on the ledger')).toMatchObject({
    state: 'fail',
    remedy: expect.stringContaining(`create schema etl authorization ${role};`) as string,
  });
  expect(before.get(`privileges on ${table}`)).toMatchObject({
    state: 'fail',
    remedy: `grant select, insert, update on ${table} to ${role};`,
  });
  for (const check of [before.get('privilege to stage'), before.get(`privileges on ${table}`)]) {
    await db.query(check?.remedy ?? '');
  }
  await db.query(`create schema etl authorization ${role}`);
  const after = await doctorOfJob({}, ...asked);
  expect([...after.values()].filter(({ state }) => state === 'fail')).toEqual([]);

  await db.query(
    `revoke update on ${table} from ${role}; grant update (name) on ${table} to ${role}`,
  );
  const some = await doctorOfJob({}, ...asked);
  expect(some.get(`privileges on ${table}`)?.state).toBe('warn');
  const ignoring = await doctorOfJob({ onConflict: 'ignore' }, ...asked);
  expect(ignoring.get(`privileges on ${table}`)?.state).toBe('pass');

  await db.query(`revoke create on schema public from public`);
  const fresh = await doctorOfJob({ table: 'missing', key: ['id'] }, ...asked);
  expect(fresh.get('privileges on missing')).toMatchObject({
    state: 'fail',
    remedy: `grant create on schema public to ${role};`,
  });
  await db.query(`drop schema etl; grant temporary on database ${db.name} to public`);
});

test('connections that do not suffice', async () => {
  const { role, url } = await newRole('few');
  const states: (string | undefined)[] = [];
  for (const limit of [12, 7, 4]) {
    await scene.db.query(`alter role ${role} connection limit ${limit}`);
    const checks = await doctor('--database-url', url, '--concurrency', '4');
    states.push(checks.get('connections')?.state);
  }
  expect(states).toEqual(['pass', 'warn', 'fail']);
});

test('what forces the order of merges: a second unique index, a trigger', async () => {
  const { db, table } = scene;
  await db.query(`alter table ${table} add constraint ${table}_names unique (name)`);
  await db.query(`create function f_${table}() returns trigger language plpgsql as
    'begin return new; end'`);
  await db.query(`create trigger tr_${table} before insert on ${table}
    for each row execute function f_${table}()`);
  const check = (await doctorOfJob()).get(`order on public.${table}`);
  expect(check?.state).toBe('warn');
  expect(check?.sentence).toContain(`unique index ${table}_names`);
  expect(check?.sentence).toContain(`row trigger tr_${table}`);
});

test('what runs that died have left, and not what belongs to one that lives', async () => {
  const { db } = scene;
  const run = '20260101000000-abcdef';
  await db.query('create schema etl');
  await db.query(`create unlogged table etl."staging_1_${run}_0" as select 1 as c0`);
  await db.query(`create table "etl_fresh_1_${run}" (id int)`);
  const preparing = await db.client();
  await preparing.query(`begin; select 1; prepare transaction 'etl:1:${run}:0'`);
  const found = (await doctor()).get('left-overs');
  expect(found?.state).toBe('warn');
  expect(found?.sentence).toContain('2 staging tables');
  expect(found?.sentence).toContain('1 prepared transactions');
  await preparing.query(`set application_name = 'etl ${run}'`);
  expect((await doctor()).get('left-overs')?.state).toBe('pass');
  await preparing.query(`rollback prepared 'etl:1:${run}:0'`);
  await preparing.end();
  await db.query(`drop schema etl cascade; drop table "etl_fresh_1_${run}"`);
});

test('a pooler that gives each transaction another backend', async () => {
  const pooler = await openTransactionPooler(scene.db.url);
  try {
    const checks = await doctor('--database-url', pooler.url);
    expect(checks.get('pooler')).toMatchObject({
      state: 'fail',
      remedy: expect.stringContaining('pool_mode = session') as string,
    });
  } finally {
    await pooler.close();
  }
});

test('memory that the sorts of all workers together would exceed', async () => {
  const words = ['--concurrency', '64', '--session', 'work_mem=1TB'];
  const check = (await doctor(...words)).get('memory');
  expect(check?.state).toBe('fail');
  expect(check?.sentence).toContain('work_mem of 1 TB by 64 workers is 64 TB');
});

test('a job that cannot be planned, and says why', async () => {
  const checks = await doctorOfJob({ files: ['nothing-*.csv'] });
  expect(checks.get('job')).toMatchObject({
    state: 'fail',
    sentence: expect.stringContaining('nothing-*.csv') as string,
  });
  expect(checks.get(`privileges on ${scene.table}`)?.state).toBe('pass');
});
