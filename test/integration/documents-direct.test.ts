import { expect, test } from 'vitest';
import type { Plan } from '../../src/plan/plan-types.ts';
import { COUNT_STAGINGS, stagingsMade } from '../support/count-stagings.ts';
import { planJob, runPlan } from '../support/load.ts';
import { useScene } from '../support/scene.ts';

/**
 * Documents whose keys are in their paths, into a table that exists and is empty: the plan has seen each
 * key, so they are copied into the table without staging; and what the table holds by then is upserted.
 */
const scene = useScene(
  (table) => `create table ${table} (id int, level text, content text, primary key (id, level))`,
  COUNT_STAGINGS,
);

/** As many, of two levels; their paths do not sort as their keys do. */
function names(count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => `${i >> 1}_${i % 2 === 0 ? 'pro' : 'amateur'}.html`,
  );
}

interface Asked {
  readonly concurrency?: number;
  readonly onError?: 'stop' | 'quarantine';
}

async function planned(
  files: readonly string[],
  { concurrency = 2, onError = 'stop' }: Asked = {},
): Promise<Plan> {
  await scene.write(Object.fromEntries(files.map((name) => [name, `content of ${name}`])));
  const documents = { path: '{id}_{level}.html' };
  const load = { files: ['*.html'], table: scene.table, key: ['id', 'level'], documents };
  const job = { settings: { concurrency, onError }, loads: [load] };
  return planJob(scene.db.url, job, { cwd: scene.folder });
}

function directOf(plan: Plan): boolean[] {
  return (plan.loads[0]?.units ?? []).map(({ direct }) => direct !== undefined);
}

/** The table has exactly these documents, and `others` as they are given. */
async function expectDocuments(files: readonly string[], others: readonly unknown[] = []) {
  const rows = await scene.db.query(`select * from ${scene.table}`);
  const expected = files.map((name) => {
    const [id, level] = name.replace('.html', '').split('_');
    return { id: Number(id), level, content: `content of ${name}` };
  });
  expect(rows).toHaveLength(expected.length + others.length);
  expect(rows).toEqual(expect.arrayContaining([...expected, ...others]));
}

test.for([1, 2, 4])('are copied without staging (concurrency %d)', async (concurrency) => {
  const files = names(60);
  const plan = await planned(files, { concurrency });
  expect(new Set(directOf(plan))).toEqual(new Set([true]));
  expect(plan.loads[0]?.notices.join()).toContain('each document has a key of its own');
  const { made, end: report } = await stagingsMade(scene.db, () => runPlan(scene.db.url, plan, {}));
  expect([report.error, made]).toEqual([null, 0]);
  expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 60, inserted: 60, updated: 0 });
  await expectDocuments(files);
  const again = await planned(files);
  expect(again.loads[0]?.files.every(({ skip }) => skip !== null)).toBe(true);
});

test.for<[string, string, readonly string[]]>([
  ['has a row', 'insert into TABLE values (900, $$pro$$, $$old$$)', []],
  ['is to have a key twice, spelled in two ways', '', ['01_pro.html']],
  [
    'has a collation that may take two keys for one',
    'alter table TABLE alter level type text collate "C"',
    [],
  ],
  [
    'has a row trigger',
    `create trigger t before insert on TABLE for each row execute function
       suppress_redundant_updates_trigger()`,
    [],
  ],
])('are staged where the table %s', async ([, ddl, more]) => {
  await scene.db.query(ddl.replaceAll('TABLE', scene.table));
  expect(new Set(directOf(await planned([...names(8), ...more])))).toEqual(new Set([false]));
});

test('a key that is spelled in two ways: the later path wins', async () => {
  const files = [...names(8), '01_pro.html', '1_pro.html'];
  const report = await runPlan(scene.db.url, await planned(files), {});
  expect(report.error).toBeNull();
  await expectDocuments(names(8));
});

test.for([1, 3])(
  'are upserted where another session was quicker (concurrency %d)',
  async (concurrency) => {
    const files = names(60);
    const plan = await planned(files, { concurrency });
    expect(directOf(plan).length).toBeGreaterThan(1);
    await scene.db.query(`insert into ${scene.table}
      values (3, 'pro', 'old'), (17, 'amateur', 'old'), (900, 'pro', 'other')`);
    const { made, end: report } = await stagingsMade(scene.db, () =>
      runPlan(scene.db.url, plan, {}),
    );
    expect([report.error, made > 0]).toEqual([null, true]);
    expect(report.loads[0]?.totals).toMatchObject({ inserted: 58, updated: 2 });
    await expectDocuments(files, [{ id: 900, level: 'pro', content: 'other' }]);
  },
);

test('a document that is no text is put aside, and the others are loaded', async () => {
  const files = names(40);
  const bad = '90_pro.html';
  await scene.write({ [bad]: Buffer.from([0x61, 0xff]) });
  const plan = await planned(files, { onError: 'quarantine' });
  expect(new Set(directOf(plan))).toEqual(new Set([true]));
  const report = await runPlan(scene.db.url, plan, {});
  expect(report.error).toBeNull();
  expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 41, inserted: 40, rejected: 1 });
  await expectDocuments(files);
});
