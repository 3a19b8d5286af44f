import { chmod, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { load, planJob } from '../support/load.ts';
import { statusesOf, useScene } from '../support/scene.ts';
import { sentDuring } from '../support/sent-statements.ts';

/** Files whose times alone have changed are read once more, and not at every run. */
const scene = useScene((table) => `create table ${table} (id text primary key, name text)`);

const CLOCK_TICK_MS = 12;
const NAMES = ['a', 'b', 'c'];

/** As a backup that links files, or a change of rights, does. */
async function touchAttributes(names: readonly string[], extension: string): Promise<void> {
  await sleep(CLOCK_TICK_MS);
  for (const name of names) await chmod(join(scene.folder, `${name}.${extension}`), 0o600);
}

const jobs = {
  csv: () => ({ loads: [{ table: scene.table, files: ['*.csv'] }] }),
  document: () => ({
    loads: [
      {
        table: scene.table,
        files: ['*.html'],
        key: ['id'],
        documents: { path: '{id}.html', columns: { name: 'content' } },
      },
    ],
  }),
};

test.each([
  ['csv', 'csv', jobs.csv],
  ['documents', 'html', jobs.document],
])('%s', async (_, extension, job) => {
  const { db, folder } = scene;
  const contents = NAMES.map((name) => [`${name}.${extension}`, `id,name\n${name},1\n`]);
  await scene.write(Object.fromEntries(contents) as Record<string, string>);
  const run = () => load(db.url, job(), { cwd: folder });
  const retimed = ({ plan }: Awaited<ReturnType<typeof run>>) =>
    plan.loads[0]?.files.map(({ skip }) => skip?.retimed !== undefined);
  const updates = async () => {
    const { ended, statements } = await sentDuring(run);
    expect(statusesOf(ended.report)).toEqual(['skipped', 'skipped', 'skipped']);
    return { ended, sent: statements.filter((sql) => /update "etl"\.ledger/.test(sql)).length };
  };
  await run();
  expect(await updates()).toMatchObject({ sent: 0 });

  await touchAttributes(['a', 'c'], extension);
  const planned = await planJob(db.url, job(), { cwd: folder });
  expect(planned.loads[0]?.files.map(({ skip }) => skip?.retimed)).toEqual([
    join(folder, `a.${extension}`),
    undefined,
    join(folder, `c.${extension}`),
  ]);
  const noted = await updates();
  expect([retimed(noted.ended), noted.sent]).toEqual([[true, false, true], 1]);
  const again = await updates();
  expect([retimed(again.ended), again.sent]).toEqual([[false, false, false], 0]);

  await utimes(join(folder, `b.${extension}`), new Date(0), new Date(0));
  expect((await updates()).sent).toBe(1);
  expect((await updates()).sent).toBe(0);
});

test('a file that is changed, with times as the ledger has them, is still seen', async () => {
  const { db, folder } = scene;
  await scene.write({ 'a.csv': 'id,name\n1,a\n' });
  const run = async () => statusesOf((await load(db.url, jobs.csv(), { cwd: folder })).report);
  expect(await run()).toEqual(['loaded']);
  await touchAttributes(['a'], 'csv');
  expect(await run()).toEqual(['skipped']);
  const [entry] = await db.query<{ mtime: number }>(
    `select mtime_ms as mtime from etl.ledger where table_name like '%${scene.table}'`,
  );
  await sleep(CLOCK_TICK_MS);
  await scene.write({ 'a.csv': 'id,name\n1,b\n' });
  const before = new Date(Number(entry?.mtime));
  await utimes(join(folder, 'a.csv'), before, before);
  expect(await run()).toEqual(['loaded']);
});

test('a ledger that may not be written is no failure, and told of', async () => {
  const { db, folder, table } = scene;
  await scene.write({ 'a.csv': 'id,name\n1,a\n' });
  await load(db.url, jobs.csv(), { cwd: folder });
  await touchAttributes(['a'], 'csv');
  await db.query(`create function etl.refuse() returns trigger language plpgsql as
      $$ begin raise 'not now'; end $$;
    create trigger refuse before update on etl.ledger for each row execute function etl.refuse()`);
  const notices: string[] = [];
  const { report } = await load(db.url, jobs.csv(), {
    cwd: folder,
    onEvent: (event) => {
      if (event.kind === 'notice') notices.push(event.sentence);
    },
  });
  expect([report.error, statusesOf(report)]).toEqual([null, ['skipped']]);
  expect(notices.join()).toMatch(/could not be noted, so the next run reads them again: not now/);
  await db.query('drop function etl.refuse() cascade');
  expect(await db.query(`select count(*)::int as n from ${table}`)).toEqual([{ n: 1 }]);
});
