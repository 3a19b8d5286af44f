import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { UploadReport } from '../../src/serve/upload.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { useScene } from '../support/scene.ts';
import { withService, type ServiceClient } from '../support/service.ts';

/** Uploads that wait for the same job are loaded by one run, and mean what each would mean alone. */
const scene = useScene(
  (table) =>
    `create table ${table} (id int primary key, name text, n int,
       constraint held check (fault('merge', name)));
     create table ${table}_log (id int, name text, n int)`,
  FAULTS,
);

const serve = <T>(use: (client: ServiceClient) => Promise<T>, options = {}): Promise<T> =>
  withService(
    scene,
    {
      rows: { table: scene.table },
      ignore: { table: scene.table, onConflict: 'ignore' },
      log: { table: `${scene.table}_log`, onConflict: 'append' },
    },
    use,
    options,
  );

/** Holds up the first run until all that is sent meanwhile has been accepted. */
async function heldUp(
  client: ServiceClient,
  send: () => Promise<UploadReport[]>,
): Promise<UploadReport[]> {
  const holder = await scene.db.client();
  await holder.query(closeGateSql('merge'));
  await client.rows('rows', [{ id: 0, name: 'merge gate' }], '?wait=0');
  await untilWaiting(scene.db, 'merge');
  const accepted = await send();
  await holder.end();
  const reports: UploadReport[] = [];
  for (const { id } of accepted) reports.push(await client.ended(id));
  return reports;
}

const runsOf = (reports: readonly UploadReport[]): number =>
  new Set(
    reports.flatMap(({ files, runs }) => (files.length > 0 ? runs.map(({ run }) => run) : [])),
  ).size;

test('one by one in their order of arrival, bad ones left out, by few runs', async () => {
  const reports = await serve((client) =>
    heldUp(client, async () => {
      const accepted: UploadReport[] = [];
      for (let upload = 1; upload <= 60; upload++) {
        // Each writes row 1, and one of its own; the 20th and the 40th are bad, in two ways.
        const n = upload === 20 ? 'bad' : upload;
        const rows = [
          { id: 1, name: `by ${upload}`, n: upload },
          { id: 100 + upload, name: 'x', n },
        ];
        const more = upload === 40 ? rows.map((row) => ({ ...row, unknown: 1 })) : rows;
        accepted.push(await client.rows('rows', more, '?wait=0'));
      }
      return accepted;
    }),
  );
  const failed = reports.flatMap(({ state }, index) => (state === 'failed' ? [index + 1] : []));
  expect(failed).toEqual([20, 40]);
  expect(reports[19]?.error).toMatchObject({
    code: 'ETL_ROW_INVALID',
    facts: { file: 'rows.json' },
  });
  expect(reports[39]?.error).toMatchObject({ code: 'ETL_COLUMN_MISSING' });
  expect(runsOf(reports)).toBeLessThanOrEqual(4);
  const together = reports.filter(({ runs }) => (runs[0]?.uploads ?? 0) > 1);
  expect(together.length).toBeGreaterThan(50);
  expect(together.every(({ counts }) => counts.rowsRead === 2 && counts.inserted === null)).toBe(
    true,
  );
  const rows = await scene.db.query(`select id, name, n from ${scene.table} order by id`);
  expect(rows[1]).toEqual({ id: 1, name: 'by 60', n: 60 });
  expect(rows).toHaveLength(2 + 58);
});

test('what one brings and another does not stays as it was', async () => {
  const reports = await serve((client) =>
    heldUp(client, async () => [
      await client.rows('rows', [{ id: 1, name: 'kept', n: 1 }], '?wait=0'),
      await client.rows('rows', [{ id: 1, n: 2 }], '?wait=0'),
      await client.rows('rows', [{ id: 2, n: 2 }], '?wait=0'),
      await client.rows('rows', [{ id: 2, name: 'later' }], '?wait=0'),
    ]),
  );
  expect(reports.map(({ state }) => state)).toEqual(['loaded', 'loaded', 'loaded', 'loaded']);
  const rows = await scene.db.query(
    `select id, name, n from ${scene.table} where id > 0 order by id`,
  );
  expect(rows).toEqual([
    { id: 1, name: 'kept', n: 2 },
    { id: 2, name: 'later', n: 2 },
  ]);
});

test('one that wants its own counts is loaded alone; jobs of one table in their order', async () => {
  const reports = await serve((client) =>
    heldUp(client, async () => [
      await client.rows('rows', [{ id: 1, name: 'first', n: 1 }], '?wait=0'),
      await client.rows('rows', [{ id: 1, name: 'alone', n: 2 }], '?wait=0&alone=true'),
      await client.rows('ignore', [{ id: 1, name: 'ignored', n: 3 }], '?wait=0'),
      await client.rows('rows', [{ id: 1, name: 'last', n: 4 }], '?wait=0'),
    ]),
  );
  expect(runsOf(reports)).toBe(4);
  expect(reports.map(({ counts }) => [counts.updated, counts.unchanged])).toEqual([
    ...[
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 0],
    ],
  ]);
  const [row] = await scene.db.query(`select name from ${scene.table} where id = 1`);
  expect(row).toEqual({ name: 'last' });
});

test('the first of several decides what a new table looks like', async () => {
  const jobs = {
    rows: { table: scene.table },
    made: { table: `${scene.table}_made`, key: ['id'] },
  };
  await withService(scene, jobs, async (client) => {
    const accepted = await Promise.all([
      client.rows('made', [{ id: 1, n: 1 }], '?wait=60'),
      client.rows('made', [{ id: 2, n: 2 }], '?wait=60'),
    ]);
    expect(accepted.map(({ state }) => state)).toEqual(['loaded', 'loaded']);
    const wider = await client.rows('made', [{ id: 3, n: 'text' }]);
    expect(wider).toMatchObject({ state: 'failed', error: { code: 'ETL_ROW_INVALID' } });
  });
});

test('500 uploads of 1,000 rows at once: a few runs, under 10 connections', async () => {
  const uploads = 500;
  let connections = 0;
  const reports = await serve(async (client) => {
    const looking = { over: false };
    const look = (async () => {
      while (!looking.over) {
        const [row] = await scene.db.query(
          `select count(*)::int as c from pg_stat_activity
            where datname = current_database() and application_name like 'etl%'`,
        );
        connections = Math.max(connections, Number(row?.['c']));
        await sleep(10);
      }
    })();
    const sent = Array.from({ length: uploads }, (_, upload) =>
      client.rows('log', rowsOf(upload), '?wait=110'),
    );
    const ended = await Promise.all(sent);
    looking.over = true;
    await look;
    return ended;
  });
  expect(reports.every(({ state }) => state === 'loaded')).toBe(true);
  expect(runsOf(reports)).toBeLessThan(20);
  expect(connections).toBeLessThan(10);
  const all = Array.from({ length: uploads }, (_, upload) => rowsOf(upload)).flat();
  const [row] = await scene.db.query(
    `select count(*)::int as c, count(distinct id)::int as d, sum(n)::int as n from ${scene.table}_log`,
  );
  const sum = all.reduce((total, { n }) => total + n, 0);
  expect(row).toEqual({ c: 500_000, d: 500_000, n: sum });
});

function rowsOf(upload: number): { id: number; name: string; n: number }[] {
  return Array.from({ length: 1_000 }, (_, row) => ({
    ...{ id: upload * 1_000 + row, name: `row ${row} of ${upload}`, n: row % 7 },
  }));
}

test('1,000 tiny uploads against a short queue: some must come back, none is lost or doubled', async () => {
  const uploads = 1_000;
  let refused = 0;
  await serve(
    async (client) => {
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let n = next++; n < uploads; n = next++) {
          for (;;) {
            const type = { 'content-type': 'text/csv' };
            const answer = await client.post('/jobs/log/files?wait=0', `id,n\n${n},1\n`, type);
            await answer.text();
            if (answer.status === 202) break;
            expect(answer.status).toBe(429);
            expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
            refused += 1;
            await sleep(200);
          }
        }
      };
      await Promise.all(Array.from({ length: 110 }, worker));
      for (;;) {
        const jobs = (await (await client.get('/jobs')).json()) as { uploads: number }[];
        if (jobs.every((job) => job.uploads === 0)) break;
        await sleep(50);
      }
    },
    { queueMax: 100 },
  );
  expect(refused).toBeGreaterThan(0);
  const [row] = await scene.db.query(
    `select count(*)::int as c, count(distinct id)::int as d from ${scene.table}_log`,
  );
  expect(row).toEqual({ c: uploads, d: uploads });
  expect(await readdir(join(scene.folder, 'spool/files'))).toEqual([]);
}, 300_000);
