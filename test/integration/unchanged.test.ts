import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EtlError } from '../../src/errors.ts';
import { createInProcessPool as createPool } from '../../src/pool/in-process-pool.ts';
import type { WorkOrder } from '../../src/pool/messages.ts';
import type { RunEvent } from '../../src/run/events.ts';
import type { RunParts } from '../../src/run/run-context.ts';
import { planJob, runPlan } from '../support/load.ts';
import { useScene } from '../support/scene.ts';
import { watchedPool } from '../support/watched-pool.ts';

/** Rows of the table, and of the files together. */
const ROWS = 600;
const FILES = 3;

const scene = useScene(
  (
    table,
  ) => `create table ${table} (id int primary key, name text, paid boolean, total numeric(8,2),
                                     at timestamptz, price float8, note text default 'none');
    insert into ${table}
      select g, case when g % 5 > 0 then 'name, ' || g end, g % 3 = 0, g / 4.0,
             timestamptz '2024-01-01 00:00:00+00' + g * interval '1 minute 0.5 second', g / 4.0, null
        from generate_series(1, ${ROWS}) g;
    analyze ${table}`,
);

type Cell = string | null;

/** How a program writes the row of a key, that of the server by default. */
interface Spelling {
  readonly words?: readonly [string, string];
  readonly at?: (time: Date) => string;
  readonly total?: (key: number) => string;
  readonly price?: (key: number) => string;
  readonly quoted?: boolean;
}

function record(
  key: number,
  {
    words = ['t', 'f'],
    at = serverTime,
    total,
    price = (of) => String(of / 4),
    quoted,
  }: Spelling = {},
) {
  const time = new Date(Date.UTC(2024, 0, 1) + key * 60_500);
  const cells: Cell[] = [
    String(key),
    key % 5 > 0 ? `name, ${key}` : null,
    key % 3 === 0 ? words[0] : words[1],
    total?.(key) ?? (key / 4).toFixed(2),
    at(time),
    price(key),
  ];
  const field = (cell: Cell): string =>
    cell === null ? '' : quoted === true || cell.includes(',') ? `"${cell}"` : cell;
  return cells.map(field).join(',');
}

function serverTime(time: Date): string {
  const text = time.toISOString().replace('T', ' ').replace('Z', '');
  return `${text.replace(/\.?0+$/, (zeros) => (zeros.startsWith('.') ? '' : zeros.replace(/0+$/, '')))}+00`;
}

const HEADER = 'id,name,paid,total,at,price';

/** The rows of the table again, in files of which no name was seen before. */
function again(spelling: Spelling = {}, change = (record: string): string => record): string[] {
  return Array.from({ length: FILES }, (_, file) => {
    const keys = Array.from({ length: ROWS / FILES }, (__, row) => file * (ROWS / FILES) + row + 1);
    return [HEADER, ...keys.map((key) => change(record(key, spelling))), ''].join('\n');
  });
}

interface Told {
  readonly leftOut: string | undefined;
  readonly copies: readonly string[];
  readonly staged: number;
}

/** Loads the files into the scene's table; what was not sent, and what was. */
async function loadFiles(
  files: readonly string[],
  asked: Record<string, unknown> = {},
  parts: Partial<RunParts> = {},
  settings: Record<string, unknown> = {},
  signal?: AbortSignal,
) {
  const names = files.map((_, place) => `f${place}.csv`);
  await scene.write(Object.fromEntries(files.map((text, place) => [names[place] ?? '', text])));
  const load = { table: scene.table, files: names, ...asked };
  const options = { cwd: scene.folder, comparedRowsMin: 1 };
  const plan = await planJob(scene.db.url, { settings, loads: [load] }, options);
  const statements: string[] = [];
  const notices: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.kind === 'notice') notices.push(event.sentence);
  };
  const report = await runPlan(scene.db.url, plan, {
    onEvent,
    ...(signal === undefined ? {} : { signal }),
    parts: { createPool: watchedPool(statements), ...parts },
  });
  const told: Told = {
    leftOut: notices.find((notice) => notice.includes('not sent')),
    copies: statements.filter((sql) => /^copy .* from stdin/.test(sql)),
    staged: statements.filter((sql) => /create temp/i.test(sql)).length,
  };
  return { plan: plan.loads[0], report, totals: report.loads[0]?.totals, notices, ...told };
}

/** Where each row lies and which transactions have written and locked it. */
async function places(): Promise<unknown> {
  const [row] = await scene.db.query(
    `select md5(string_agg(concat_ws(' ', t, ctid, xmin, xmax), ',' order by id)) as places
       from ${scene.table} t`,
  );
  return row;
}

test('the same rows under other names: nothing is staged, written or locked', async () => {
  const before = await places();
  const { plan, report, totals, copies, staged, leftOut } = await loadFiles(again());
  expect(report.status).toBe('loaded');
  expect(plan?.unchanged).toMatchObject({ withinRange: false });
  expect(plan?.notices.join()).toContain('stand in the table as they are');
  expect(totals).toMatchObject({ rowsRead: ROWS, unchanged: ROWS, superseded: 0 });
  expect(leftOut).toMatch(`600 of 600 rows stand in public.${scene.table} as they are`);
  expect({ copies, staged }).toEqual({ copies: [], staged: 0 });
  expect(await places()).toEqual(before);
  const entries = await scene.db.query('select path, rows_read, unchanged from etl.ledger');
  expect(entries).toHaveLength(FILES);
  const rerun = await loadFiles(again());
  expect(rerun.report.loads[0]?.files.map(({ status }) => status)).toEqual([
    'skipped',
    'skipped',
    'skipped',
  ]);
  await scene.db.query('delete from etl.ledger');
});

test.each<[string, Spelling]>([
  ['booleans in words', { words: ['True', 'False'] }],
  ['all fields in quotes', { quoted: true }],
  ['ISO 8601 in milliseconds', { at: (time) => time.toISOString() }],
  ['floats with zeros at the end', { price: (key) => (key / 4).toFixed(3) }],
  ['numbers without zeros at the end', { total: (key) => String(key / 4) }],
])('files of another spelling: %s', async (_, spelling) => {
  const before = await places();
  const { totals, copies } = await loadFiles(again(spelling));
  expect(totals).toMatchObject({ unchanged: ROWS });
  expect(copies).toEqual([]);
  expect(await places()).toEqual(before);
});

test('some rows have changed: they alone are sent', async () => {
  const { totals, report } = await loadFiles(
    again({}, (line) => (/^(?:17|399),/.test(line) ? line.replace('name', 'other') : line)),
  );
  expect(report.status).toBe('loaded');
  expect(totals).toMatchObject({ rowsRead: ROWS, updated: 2, unchanged: ROWS - 2, superseded: 0 });
  const changed = await scene.db.query(
    `select id from ${scene.table} where name like 'other%' order by id`,
  );
  expect(changed).toEqual([{ id: 17 }, { id: 399 }]);
});

test('a change that a later file takes back is seen, and so is one that it repeats', async () => {
  const [first = '', ...rest] = again();
  const changed = `${HEADER}\n${record(1).replace('name', 'other')}\n`;
  const restored = `${HEADER}\n${record(1)}\n`;
  const { leftOut } = await loadFiles([changed, ...rest, restored, first], { order: 'listed' });
  expect(leftOut).toMatch('599 of 602');
  const [row] = await scene.db.query(`select name from ${scene.table} where id = 1`);
  expect(row).toEqual({ name: 'name, 1' });
  await scene.db.query('delete from etl.ledger');
  await loadFiles([first, ...rest, restored, changed], { order: 'listed' });
  const [last] = await scene.db.query(`select name from ${scene.table} where id = 1`);
  expect(last).toEqual({ name: 'other, 1' });
});

test('a record without a key is refused, though the table has a row like it', async () => {
  await scene.db.query(
    `alter table ${scene.table} drop constraint ${scene.table}_pkey, alter id drop not null,
                                add unique (id);
     insert into ${scene.table} (name, total) values ('nobody', 1); analyze ${scene.table}`,
  );
  const [first = '', ...rest] = again();
  const { plan, report } = await loadFiles([`${first},nobody,,1.00,,\n`, ...rest], { key: ['id'] });
  expect(plan?.unchanged).toBeDefined();
  expect(report.loads[0]?.files.map(({ status }) => status)).toEqual([
    'failed',
    'not-loaded',
    'not-loaded',
  ]);
});

test('keys of files whose rows are all there are sampled sparsely', async () => {
  const rows = 6_000;
  await scene.db.query(
    `truncate ${scene.table};
     insert into ${scene.table} select g, 'n' from generate_series(1, ${rows}) g;
     analyze ${scene.table}`,
  );
  const file = (name: string): string =>
    `id,name\n${Array.from({ length: rows }, (_, key) => `${key + 1},${name}\n`).join('')}`;
  const same = await loadFiles([file('n')]);
  expect(same.totals).toMatchObject({ rowsRead: rows, unchanged: rows });
  expect(same.plan?.overlap.sampledKeys).toBeLessThanOrEqual(2_000);
  const changed = await loadFiles([file('m')]);
  expect(changed.totals).toMatchObject({ rowsRead: rows, updated: rows });
  expect(changed.plan?.overlap.sampledKeys).toBe(rows);
});

test('a table with many more rows is read within the range of the keys', async () => {
  const [first = ''] = again();
  const { plan, totals, copies } = await loadFiles([first]);
  expect(plan?.unchanged).toMatchObject({ withinRange: true });
  expect(totals).toMatchObject({ unchanged: ROWS / FILES });
  expect(copies).toEqual([]);
});

test('bad rows are put aside as ever', async () => {
  const files = again({}, (line) =>
    line.startsWith('250,') ? line.replace(',f,', ',perhaps,') : line,
  );
  const settings = { onError: 'quarantine', rejects: join(scene.folder, 'rejects') };
  const { totals, report } = await loadFiles(files, {}, {}, settings);
  expect(report.status).toBe('rejected-rows');
  expect(totals).toMatchObject({ rowsRead: ROWS, unchanged: ROWS - 1, rejected: 1 });
});

test.each([
  [
    'a row trigger sees all rows',
    `create function seen() returns trigger language plpgsql as 'begin return new; end';
     create trigger seen before insert on $t for each row execute function seen()`,
  ],
  [
    'a value is missing that must be there',
    `alter table $t add must text; update $t set must = ''; alter table $t alter must set not null`,
  ],
  ['most rows have changed', `update $t set total = total + 1 where id % 10 > 0; analyze $t`],
])('not compared: %s', async (_, sql) => {
  await scene.db.query(sql.replaceAll('$t', scene.table));
  const { plan } = await loadFiles(again()).catch(() => ({ plan: undefined }));
  expect(plan?.unchanged).toBeUndefined();
  await scene.db.query('drop function if exists seen cascade');
});

test.each([
  ['append', { onConflict: 'append' }],
  ['partitioned', { strategy: 'partitioned' }],
  ['a column is left out', { columns: { total: null } }],
])('not compared: %s', async (_, asked) => {
  const names = ['f0.csv'];
  await scene.write({ 'f0.csv': again()[0] ?? '' });
  const job = { loads: [{ table: scene.table, files: names, ...asked }] };
  const plan = await planJob(scene.db.url, job as never, { cwd: scene.folder, comparedRowsMin: 1 });
  expect(plan.loads[0]?.unchanged).toBeUndefined();
});

test('where the comparison fails, the load goes on without it', async () => {
  const lost = new EtlError('ETL_CONNECTION', 'The line was lost.', 'Run again.');
  const { report, totals, notices } = await loadFiles(
    again(),
    {},
    failing(() => Promise.reject(lost)),
  );
  expect(report.status).toBe('loaded');
  expect(totals).toMatchObject({ unchanged: ROWS });
  expect(notices.join()).toContain('all rows are sent: The line was lost.');
});

test('a row that the table refuses fails its file, and no row of an earlier one', async () => {
  await scene.db.query(`alter table ${scene.table} add check (total < 1000)`);
  const total = (key: number): string => (key === 250 ? '2000.00' : (key / 4).toFixed(2));
  const { report } = await loadFiles(again({ total }), {}, {}, { concurrency: 1 });
  const files = report.loads[0]?.files ?? [];
  expect(files.map(({ status }) => status)).toEqual(['loaded', 'failed', 'not-loaded']);
  expect(files[0]).toMatchObject({ unchanged: ROWS / FILES });
  await scene.db.query(`alter table ${scene.table} drop constraint ${scene.table}_total_check`);
  const rest = await loadFiles(again({ total }));
  expect(rest.totals).toMatchObject({ rowsRead: (2 * ROWS) / FILES, updated: 1 });
});

test('interrupted while the files are compared, nothing is loaded', async () => {
  const interrupt = new AbortController();
  const before = await places();
  const { report, notices } = await loadFiles(
    again(),
    {},
    failing(() => {
      interrupt.abort();
      return Promise.reject(new EtlError('ETL_ABORTED', 'Interrupted.', 'Run again.'));
    }),
    {},
    interrupt.signal,
  );
  expect(report.status).toBe('interrupted');
  expect(notices.join()).not.toContain('compared');
  expect(
    await scene.db.query(`select from etl.ledger where table_name like '%${scene.table}'`),
  ).toEqual([]);
  expect(await places()).toEqual(before);
});

/** A pool whose comparisons do this. */
function failing(find: () => Promise<unknown>): Partial<RunParts> {
  return {
    createPool: (workers, setup) => {
      const pool = createPool(workers, setup);
      return {
        ...pool,
        open: (order: WorkOrder, news) =>
          order.kind === 'find-unchanged'
            ? { call: find, close: () => Promise.resolve() }
            : pool.open(order, news),
      };
    },
  };
}
