import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { armSql, closeGateSql, untilWaiting } from '../support/faults.ts';
import { load, planJob, runPlan } from '../support/load.ts';
import { sharesOf } from '../support/random-shares.ts';
import { useShares } from '../support/shares-scene.ts';

/** Shares of a file that roll back, or are not begun: the file is staged, and the table is as it ought to be. */
const scene = useShares();
const { counted, job, options } = scene;

test.each([
  ['a key that comes twice', (id: number) => (id === 3_000 ? `${id - 1},again` : `${id},v`)],
  ['a row out of order', (id: number) => (id === 3_000 ? `50,early` : `${id},v`)],
  ['a bad value', (id: number) => (id === 3_000 ? `${id},"a` : `${id},v`)],
])('of a file with %s roll back, and it is staged', async (_, rowOf) => {
  const rows = Array.from({ length: 4_000 }, (_each, row) => `${rowOf(100 + row)}\n`);
  await writeFile(join(scene.folder, 'turn.csv'), `id,v\n${rows.join('')}`);
  await scene.db.query('create table turn (id int primary key, v text)');
  const plan = sharesOf(await planJob(scene.db.url, job('turn', 'turn.csv'), options()), 3);
  expect(plan.loads[0]?.directShares?.shares).toHaveLength(3);
  const notices: string[] = [];
  const report = await runPlan(scene.db.url, plan, {
    onEvent: (event) => {
      if (event.kind === 'notice') notices.push(event.sentence);
    },
  });
  const told = notices.filter((text) => text.includes('They are staged instead'));
  expect(told).toHaveLength(1);
  // What went wrong, and not that the others were stopped for it.
  expect(told[0]).toMatch(/duplicate key|are not where|quote/);
  const bad = rowOf(3_000).includes('"');
  expect(report.loads[0]?.files[0]?.status).toBe(bad ? 'failed' : 'loaded');
  const [{ count } = { count: '' }] = await scene.db.query<{ count: string }>(
    'select count(*) from turn',
  );
  expect(Number(count)).toBe(bad ? 0 : new Set(rows.map((row) => row.split(',')[0])).size);
  await scene.db.query('drop table turn');
});

test.each([
  ['keys fall from part to part', fallingParts(), 'Its keys do not rise from part to part'],
  ['one row is larger than a part', largeRow(), 'No place was found where guard.csv can be cut'],
])('are not begun where %s', async (_, content, why) => {
  await writeFile(join(scene.folder, 'guard.csv'), content);
  await scene.db.query('create table guarded (id int primary key, v text)');
  const plan = sharesOf(await planJob(scene.db.url, job('guarded', 'guard.csv'), options()), 3);
  expect(plan.loads[0]?.directShares?.shares).toHaveLength(3);
  const { report, orders, notices } = await counted(plan);
  expect(report.error).toBeNull();
  expect(notices.join(' ')).toContain(why);
  expect(orders.map(([kind]) => kind)).not.toContain('direct-share');
  expect(await scene.db.query('select count(*) from guarded')).toEqual([
    { count: String(content.split('\n').length - 2) },
  ]);
  await scene.db.query('drop table guarded');
});

test('that lose a backend amid the copy are staged by the same run', async () => {
  const rows = Array.from({ length: 900 }, (_, id) => `${id},${id === 500 ? 'stage bomb' : 'v'}`);
  await writeFile(join(scene.folder, 'bomb.csv'), `id,v\n${rows.join('\n')}\n`);
  await scene.db.query('create table bombed (id int primary key, v fault_staged)');
  await scene.db.query(armSql('stage', 0));
  const { plan, report } = await load(scene.db.url, job('bombed', 'bomb.csv'), options());
  expect(plan.loads[0]?.directShares).toBeDefined();
  expect(report.error).toBeNull();
  expect(await scene.db.query('select count(*) from bombed')).toEqual([{ count: '900' }]);
});

test('that are interrupted leave nothing, and the next run copies them', async () => {
  const rows = Array.from({ length: 900 }, (_, id) => `${id},${id === 800 ? 'stage gate' : 'v'}`);
  await writeFile(join(scene.folder, 'gate.csv'), `id,v\n${rows.join('\n')}\n`);
  await scene.db.query('create table gated (id int primary key, v fault_staged)');
  const plan = await planJob(scene.db.url, job('gated', 'gate.csv'), options());
  const gate = await scene.db.client();
  await gate.query(closeGateSql('stage'));
  const abort = new AbortController();
  const running = runPlan(scene.db.url, plan, { signal: abort.signal });
  await untilWaiting(scene.db, 'stage');
  abort.abort();
  const report = await running;
  await gate.end();
  expect(report.loads[0]?.files[0]?.status).toBe('not-loaded');
  expect(await scene.db.query('select count(*) from gated')).toEqual([{ count: '0' }]);
  const next = await counted(await planJob(scene.db.url, job('gated', 'gate.csv'), options()));
  expect([next.report.error, next.orders]).toEqual([null, [['direct-share', 3]]]);
  expect(await scene.db.query('select count(*) from gated')).toEqual([{ count: '900' }]);
});

/** Each third of the rows is in order, and lies below the one before. */
function fallingParts(): string {
  const lines = Array.from({ length: 3_000 }, (_, row) => {
    const part = Math.floor(row / 1_000);
    return `${100_000 - part * 10_000 + row},value\n`;
  });
  return `id,v\n${lines.join('')}`;
}

/** Where both cuts are looked for, there is one row. */
function largeRow(): string {
  const row = (id: number, length: number): string => `${id},${'v'.repeat(length)}\n`;
  const small = (from: number): string =>
    Array.from({ length: 1_000 }, (_, at) => row(from + at, 10)).join('');
  return `id,v\n${small(10_000)}${row(20_000, 50_000)}${small(30_000)}`;
}
