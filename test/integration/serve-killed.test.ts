import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { UploadReport } from '../../src/serve/upload.ts';
import { startCli, type CliProcess } from '../support/cli-process.ts';
import { closeGateSql, FAULTS } from '../support/faults.ts';
import { useScene } from '../support/scene.ts';
import { clientOf, TOKEN, type ServiceClient } from '../support/service.ts';

/** A crowd of clients that send again, under the same keys, what a killed service did not answer. */
const scene = useScene(
  (table) =>
    `create table ${table} (upload int, n int, name text,
       constraint held check (fault('merge', name)))`,
  FAULTS,
);

const UPLOADS = 60;
const ROWS = 20;

async function start(): Promise<{ process: CliProcess; client: ServiceClient }> {
  const jobs = { rows: { table: scene.table, onConflict: 'append' } };
  await writeFile(join(scene.folder, 'jobs.json'), JSON.stringify({ jobs }));
  const words = ['serve', '--config', 'jobs.json', '--port', '0', '--database-url', scene.db.url];
  const process = startCli(words, { cwd: scene.folder, env: { ETL_SERVE_TOKEN: TOKEN } });
  for (let look = 0; look < 1_500; look++) {
    const url = /Serving rows at (\S+)/.exec(process.said())?.[1];
    if (url !== undefined) return { process, client: clientOf(url) };
    await sleep(20);
  }
  throw new Error(process.said());
}

/** The id under which the service has accepted the upload; null where it did not answer. */
async function send(client: ServiceClient, upload: number): Promise<string | null> {
  const rows = Array.from({ length: ROWS }, (_, n) => ({ upload, n, name: 'merge gate' }));
  const headers = { 'content-type': 'application/json', 'idempotency-key': `upload-${upload}` };
  // Some wait for the end, and are cut off while they do.
  const path = `/jobs/rows/rows?wait=${upload % 3 === 0 ? 20 : 0}`;
  const answer = await client.post(path, JSON.stringify(rows), headers).catch(() => null);
  if (answer === null || answer.status === 503) return null;
  const body = await answer.text().catch(() => '');
  return body === '' ? null : (JSON.parse(body) as UploadReport).id;
}

async function rowsLoaded(): Promise<number> {
  const [row] = await scene.db.query(`select count(*)::int as rows from ${scene.table}`);
  return Number(row?.['rows']);
}

async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 1_500; look++) {
    if (await reached()) return;
    await sleep(10);
  }
  throw new Error('it is never reached');
}

test('each is loaded once, under one id, and nothing of it is left in the spool', async () => {
  const ids = new Map<number, string>();
  const crowd = (client: ServiceClient): Promise<unknown> =>
    Promise.all(
      Array.from({ length: UPLOADS }, async (_, upload) => {
        const id = await send(client, upload);
        // Whoever comes again is told of what came before, whether it is queued, loading or loaded.
        if (id !== null) expect(ids.get(upload) ?? id).toBe(id);
        if (id !== null) ids.set(upload, id);
      }),
    );
  const holder = await scene.db.client();
  await holder.query(closeGateSql('merge'));
  // While it takes and queues; once all that do not wait are queued; and while it loads.
  const kills = [
    () => ids.size > UPLOADS / 6,
    () => ids.size >= (UPLOADS * 2) / 3,
    async () => (await rowsLoaded()) > 0,
  ];
  for (const [life, reached] of kills.entries()) {
    const { process, client } = await start();
    const sending = crowd(client);
    if (life === kills.length - 1) await holder.end();
    await until(reached);
    process.kill('SIGKILL');
    await process.end;
    await sending;
  }
  const { process, client } = await start();
  await crowd(client);
  expect(ids.size).toBe(UPLOADS);
  for (const id of ids.values()) {
    const counts = { rowsRead: ROWS };
    expect(await client.ended(id)).toMatchObject({ state: 'loaded', counts });
  }
  process.kill('SIGTERM');
  expect((await process.end).code).toBe(0);
  const [sums] = await scene.db.query(
    `select count(*)::int as rows, count(distinct (upload, n))::int as different from ${scene.table}`,
  );
  expect(sums).toEqual({ rows: UPLOADS * ROWS, different: UPLOADS * ROWS });
  expect(await readdir(join(scene.folder, 'spool/files'))).toEqual([]);
  const journal = await readFile(join(scene.folder, 'spool/journal.jsonl'), 'utf8');
  for (const id of ids.values()) expect(journal).toMatch(new RegExp(`"ended".*"id":"${id}"`));
});
