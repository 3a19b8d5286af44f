import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { planJob, runPlan } from '../support/load.ts';
import { statusesOf, useScene } from '../support/scene.ts';

/** To a server far away a small load costs little else than its round trips, so they are counted. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

interface Counted {
  /** Round trips that were waited for. */
  readonly trips: number;
  readonly statements: readonly string[];
}

/**
 * Statements that are sent while no other of their session is on its way, and connections. A COPY is
 * two: its beginning and its end.
 */
async function counting(work: () => Promise<unknown>): Promise<Counted> {
  const onTheWay = new Map<unknown, number>();
  const statements: string[] = [];
  let trips = 0;
  const { query, connect } = pg.Client.prototype as unknown as Record<
    'query' | 'connect',
    (this: unknown, ...given: unknown[]) => unknown
  >;
  const connects = vi.spyOn(pg.Client.prototype, 'connect');
  connects.mockImplementation(function (this: unknown, ...given: unknown[]) {
    trips += 1;
    return connect.apply(this, given) as never;
  });
  const queries = vi.spyOn(pg.Client.prototype, 'query');
  queries.mockImplementation(function (this: unknown, ...given: unknown[]) {
    const [asked] = given;
    const before = onTheWay.get(this) ?? 0;
    if (before === 0 || !(this as pg.Client).pipeline) trips += 1;
    statements.push(typeof asked === 'string' ? asked : String((asked as { text?: string }).text));
    const answer = query.apply(this, given);
    if (!(answer instanceof Promise)) {
      trips += 1;
      return answer as never;
    }
    onTheWay.set(this, before + 1);
    const ended = (): void => void onTheWay.set(this, (onTheWay.get(this) ?? 0) - 1);
    answer.then(ended, ended);
    return answer as never;
  });
  try {
    await work();
  } finally {
    queries.mockRestore();
    connects.mockRestore();
  }
  return { trips, statements };
}

async function loaded(
  concurrency: number,
  strategy: 'auto' | 'partitioned' = 'auto',
): Promise<{ plan: Counted; run: Counted }> {
  const loads = [{ table: scene.table, files: ['*.csv'], strategy }];
  const settings = { concurrency };
  let planned: Awaited<ReturnType<typeof planJob>> | null = null;
  const plan = await counting(async () => {
    planned = await planJob(scene.db.url, { settings, loads }, { cwd: scene.folder });
  });
  const run = await counting(async () => {
    if (planned === null) return;
    const report = await runPlan(scene.db.url, planned, {});
    expect(new Set(statusesOf(report))).toEqual(new Set(['loaded']));
  });
  return { plan, run };
}

/** So few that each is a unit of its own. */
function files(count: number): Record<string, string> {
  const names = Array.from({ length: count }, (_, file) => `f${file}.csv`);
  return Object.fromEntries(names.map((name, file) => [name, `id,name\n${file},a\n`]));
}

async function loadedAgain(
  count: number,
  concurrency: number,
): Promise<{ plan: number; run: number }> {
  await scene.write(files(count));
  await scene.db.query(`truncate ${scene.table}; delete from etl.ledger`);
  const { plan, run } = await loaded(concurrency);
  return { plan: plan.trips, run: run.trips };
}

test('a small load, and each further unit of it, costs so many round trips and no more', async () => {
  await scene.write(files(1));
  await loaded(1);
  const one = await loadedAgain(1, 1);
  const three = await loadedAgain(3, 3);
  const six = await loadedAgain(6, 3);
  // Which of two questions comes first is now and then a matter of speed.
  const further = (six.run - three.run) / 3;
  const most = { plan: 10, run: 28, further: 7 };
  const counted = { ...one, further };
  expect(counted, JSON.stringify(counted)).toSatisfy(
    (found: typeof counted) =>
      found.plan <= most.plan && found.run <= most.run && found.further <= most.further,
  );
});

test('files that lose to others are neither staged nor looked at by the merge', async () => {
  const rows = Array.from({ length: 12_000 }, (_, row) => row);
  const text = (name: string): string => `id,name\n${rows.map((id) => `${id},${name}\n`).join('')}`;
  await scene.write({ 'a.csv': text('a'), 'b.csv': text('b'), 'c.csv': text('c') });
  const { run } = await loaded(1, 'partitioned');
  const made = run.statements.filter((sql) => sql.includes('create unlogged table'));
  const merges = run.statements.filter((sql) => /insert into "[^"]+"\."[^"]+" as t/.test(sql));
  expect([made.length, merges.length]).toEqual([1, 1]);
  // All keys are new and come in their order: nothing is to be sorted, nor to conflict.
  expect(merges[0]).not.toMatch(/distinct on|on conflict|union all/);
  const [found] = await scene.db.query(
    `select count(*) filter (where name = 'c')::int as good, count(*)::int as total
       from ${scene.table}`,
  );
  expect(found).toEqual({ good: rows.length, total: rows.length });
});
