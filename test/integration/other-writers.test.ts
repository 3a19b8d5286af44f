import type pg from 'pg';
import { expect, test } from 'vitest';
import { etl, expectTold, type EtlEnd } from '../support/etl.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';

/** Somebody else writes to the table, locks it or changes it while it is loaded. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name text, n int);
              insert into ${table} values (1, 'old', 0), (2, 'old', 0), (3, 'old', 0)`,
);
const FILES = { 'a.csv': 'id,name,n\n1,a,1\n2,a,1\n3,a,1\n4,a,1\n' };
const LOADED = [1, 2, 3, 4].map((id) => ({ id, name: 'a', n: 1 }));

/** Until a session of etl waits for a lock. */
async function untilBlocked(): Promise<void> {
  const blocked = (): Promise<unknown[]> =>
    scene.db.query(
      `select from pg_stat_activity where datname = current_database()
          and application_name like 'etl %' and wait_event_type = 'Lock'`,
    );
  await expect.poll(blocked, { timeout: 10_000, interval: 20 }).not.toEqual([]);
}

/** Another session begins with `held`; once the run waits for it, it does `meanwhile`. */
async function against(
  held: string,
  words: readonly string[],
  meanwhile: (other: pg.Client) => Promise<unknown>,
): Promise<EtlEnd> {
  await scene.write(FILES);
  const other = await scene.db.client();
  await other.query(`begin; ${held}`);
  try {
    const running = scene.run(['a.csv', ...words]);
    const early = running.then((end) => {
      throw new Error(`The run ended before it was blocked: ${end.stdout}${end.stderr}`);
    });
    early.catch(() => undefined);
    await Promise.race([untilBlocked(), early]);
    await meanwhile(other);
    return await running;
  } finally {
    await other.end();
  }
}

async function rows(): Promise<unknown[]> {
  return scene.db.query(`select * from ${scene.table} order by id`);
}

async function expectNextRunLoads(): Promise<void> {
  const next = await scene.run(['a.csv']);
  expect([next.code, next.error]).toEqual([0, null]);
  expect(await rows()).toEqual(LOADED);
}

const STRATEGIES = ['full-parallel', 'partitioned'] as const;

test.for(STRATEGIES)(
  'updates in the opposite order: the deadlock is retried (%s)',
  async (strategy) => {
    const { table } = scene;
    // Whose deadlock_timeout ends first is the victim.
    const words = ['--strategy', strategy, '--session', 'deadlock_timeout=1500ms'];
    const held = `set local deadlock_timeout = '60s'; update ${table} set n = 7 where id = 2`;
    const end = await against(held, words, async (other) => {
      await other.query(`update ${table} set n = 7 where id = 1`);
      await other.query('commit');
    });
    expect([end.code, end.error]).toEqual([0, null]);
    if (strategy === 'full-parallel') expect(filesOf(end.report)[0]?.attempts).toBe(2);
    const deadlocks = await scene.db.query(
      `select from etl.run where run_id = $1 and status = 'loaded'`,
      [end.report?.runId],
    );
    expect(deadlocks).toHaveLength(1);
    expect(await rows()).toEqual(LOADED);
  },
);

test.for(STRATEGIES)(
  'a row lock that stays: bounded tries, then who and what to do (%s)',
  async (strategy) => {
    const held = `select from ${scene.table} where id = 2 for update`;
    const words = ['--strategy', strategy, '--lock-timeout-ms', '60'];
    let ended: (end: EtlEnd) => void = () => undefined;
    const run = new Promise<EtlEnd>((resolve) => (ended = resolve));
    await scene.write(FILES);
    const other = await scene.db.client();
    await other.query(`begin; ${held}`);
    ended(await scene.run(['a.csv', ...words]));
    const end = await run;
    await other.end();
    expectTold(end, 'ETL_LOCKED', 2, { sqlState: '55P03' });
    expect(end.error?.remedy).toContain('--lock-timeout-ms');
    if (strategy === 'full-parallel') expect(filesOf(end.report)[0]?.attempts).toBe(5);
    expect(statusesOf(end.report)).not.toContain('loaded');
    expect(await rows()).toHaveLength(3);
    await expectNextRunLoads();
  },
);

test('a row lock that goes away in time does no harm', async () => {
  const held = `select from ${scene.table} where id = 2 for update`;
  const end = await against(held, ['--lock-timeout-ms', '60000'], (other) => other.query('commit'));
  expect([end.code, filesOf(end.report)[0]?.attempts]).toEqual([0, 1]);
  expect(await rows()).toEqual(LOADED);
});

test('statementTimeoutMs ends a merge that waits too long, and says so', async () => {
  const held = `select from ${scene.table} where id = 2 for update`;
  const words = ['--lock-timeout-ms', '0', '--statement-timeout-ms', '300'];
  const end = await against(held, words, () => expect.poll(noRun, { timeout: 10_000 }).toEqual([]));
  expectTold(end, 'ETL_SERVER', 1, { sqlState: '57014' });
  expect(end.error?.remedy).toContain('--statement-timeout-ms');
  expect(await rows()).toHaveLength(3);
  await expectNextRunLoads();
});

function noRun(): Promise<unknown[]> {
  return scene.db.query(
    `select from pg_stat_activity where datname = current_database()
        and application_name like 'etl %'`,
  );
}

test.for(STRATEGIES)(
  'a column that is added meanwhile is left to its default (%s)',
  async (strategy) => {
    const { table } = scene;
    const held = `lock table ${table} in exclusive mode`;
    const end = await against(held, ['--strategy', strategy], (other) =>
      other.query(`alter table ${table} add column extra text default 'x'; commit`),
    );
    expect([end.code, end.error]).toEqual([0, null]);
    expect(await rows()).toEqual(LOADED.map((row) => ({ ...row, extra: 'x' })));
  },
);

test.for([
  ['a column is dropped', 'drop column n', 'full-parallel'],
  ['a column is dropped', 'drop column n', 'partitioned'],
  ['a column is renamed', 'rename column name to label', 'full-parallel'],
  ['the key is dropped', `drop constraint %_pkey`, 'full-parallel'],
  ['the table is renamed', 'rename to %_gone', 'partitioned'],
] as const)(
  '%s meanwhile: nothing is loaded, and the plan is said to be stale (%s, %s)',
  async ([, change, strategy]) => {
    const { db, table } = scene;
    const held = `lock table ${table} in exclusive mode`;
    const end = await against(held, ['--strategy', strategy], async (other) => {
      await other.query(`alter table ${table} ${change.replace('%', table)}; commit`);
    });
    expectTold(end, 'ETL_PLAN_STALE', 2);
    expect(statusesOf(end.report)).not.toContain('loaded');
    const left = change.startsWith('rename to') ? `${table}_gone` : table;
    expect(await db.query(`select id from ${left} order by id`)).toHaveLength(3);
  },
);

/** Nightly rebuilds end so. A lock on the table is waited for by name, so the merge meets the new one. */
test.for([
  ['full-parallel', []],
  ['partitioned', []],
  ['append', ['--on-conflict', 'append']],
] as const)(
  'another table takes the place of the table: nothing is loaded into either (%s)',
  async ([way, words]) => {
    const { db, table } = scene;
    const strategy = way === 'append' ? [] : ['--strategy', way];
    const held = `create table ${table}_new (like ${table} including all);
                  lock table ${table} in exclusive mode`;
    const swapped = `alter table ${table} rename to ${table}_old;
                     alter table ${table}_new rename to ${table}; commit`;
    if (way === 'append') await db.query(`alter table ${table} drop constraint ${table}_pkey`);
    const end = await against(held, [...words, ...strategy], (other) => other.query(swapped));
    expectTold(end, 'ETL_PLAN_STALE', 2, { table: `public.${table}` });
    expect(end.error?.sentence).toContain('Another table got the name');
    expect(await rows()).toEqual([]);
    expect(await db.query(`select id from ${table}_old`)).toHaveLength(3);
    const next = await scene.run(['a.csv', ...words]);
    expect([next.code, next.error]).toEqual([0, null]);
    expect(await rows()).toEqual(LOADED);
  },
);

test('another table takes the place of a further table: nothing is loaded', async () => {
  const { db, table, folder } = scene;
  await db.query(`create table ${table}_log (id int, name text)`);
  await scene.write(FILES);
  const targets = [{ table: `${table}_log`, onConflict: 'append' }];
  await scene.write({
    'job.json': JSON.stringify({ loads: [{ table, files: ['a.csv'], targets }] }),
  });
  const other = await db.client();
  await other.query(`begin; create table ${table}_new (like ${table}_log);
                     lock table ${table}_log in exclusive mode`);
  const words = ['run', '--config', 'job.json', '--database-url', db.url];
  const running = etl(words, { cwd: folder });
  await untilBlocked();
  await other.query(`alter table ${table}_log rename to ${table}_old;
                     alter table ${table}_new rename to ${table}_log; commit`);
  await other.end();
  expectTold(await running, 'ETL_PLAN_STALE', 2);
  expect(
    await db.query(`select id from ${table}_log union all select id from ${table}_old`),
  ).toEqual([]);
  expect(await rows()).toHaveLength(3);
  expect((await etl(words, { cwd: folder })).code).toBe(0);
  expect(await db.query(`select id from ${table}_log`)).toHaveLength(4);
});
