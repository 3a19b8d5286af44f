import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { UploadReport } from '../../src/serve/upload.ts';
import { startCli, type CliProcess } from '../support/cli-process.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { useScene } from '../support/scene.ts';
import { clientOf, TOKEN, withService, type ServiceClient } from '../support/service.ts';

/** Requests with an Idempotency-Key: what is sent again is loaded once, and answered alike. */
const scene = useScene(
  (table) =>
    `create table ${table} (n int, name text, constraint held check (fault('merge', name)))`,
  FAULTS,
);

const jobs = () => ({
  rows: { table: scene.table, onConflict: 'append' },
  other: { table: scene.table, onConflict: 'append' },
});

interface Answer {
  readonly status: number;
  readonly replayed: boolean;
  readonly body: UploadReport & { readonly code?: string; readonly report?: UploadReport };
}

async function send(
  client: ServiceClient,
  key: string,
  rows: unknown,
  query = '',
  job = 'rows',
): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const answer = await client.post(`/jobs/${job}/rows${query}`, JSON.stringify(rows), headers);
  return {
    status: answer.status,
    replayed: answer.headers.get('idempotent-replayed') === 'true',
    body: (await answer.json()) as Answer['body'],
  };
}

async function numbers(): Promise<number[]> {
  const rows = await scene.db.query(`select n from ${scene.table} order by n`);
  return rows.map((row) => Number(row['n']));
}

test('sent again it is the same upload, loaded or failed; with another body it is refused', async () => {
  await withService(scene, jobs(), async (client) => {
    const first = await send(client, 'k1', [{ n: 1 }]);
    expect(first).toMatchObject({ status: 200, replayed: false, body: { state: 'loaded' } });
    const again = await send(client, 'k1', [{ n: 1 }]);
    expect(again).toEqual({ ...first, replayed: true });
    expect(await send(client, 'k1', [{ n: 2 }])).toMatchObject({
      status: 422,
      body: { code: 'ETL_USAGE' },
    });
    expect((await send(client, 'k1', [{ n: 1 }], '', 'other')).replayed).toBe(false);
    expect((await send(client, 'k 1', [{ n: 1 }])).status).toBe(400);
    const failed = await send(client, 'k2', [{ n: 'x' }]);
    expect(failed).toMatchObject({
      status: 422,
      replayed: false,
      body: { code: 'ETL_ROW_INVALID' },
    });
    expect(await send(client, 'k2', [{ n: 'x' }])).toEqual({ ...failed, replayed: true });
    // What was never accepted has no end that could be told again.
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'k3' };
    expect((await client.post('/jobs/rows/rows', '{', headers)).status).toBe(422);
    expect((await send(client, 'k3', [{ n: 3 }])).replayed).toBe(false);
  });
  expect(await numbers()).toEqual([1, 1, 3]);
  expect(await readdir(join(scene.folder, 'spool/files'))).toEqual([]);
});

test('sent many times at once it is loaded once, and takes no more than one place in the queue', async () => {
  const holder = await scene.db.client();
  await holder.query(closeGateSql('merge'));
  await withService(
    scene,
    jobs(),
    async (client) => {
      await client.rows('rows', [{ n: 0, name: 'merge gate' }], '?wait=0');
      await untilWaiting(scene.db, 'merge');
      const sending = Array.from({ length: 20 }, () => send(client, 'k', [{ n: 7 }]));
      await sleep(200);
      const [told] = (await (await client.get('/jobs')).json()) as { uploads: number }[];
      await holder.end();
      const answers = await Promise.all(sending);
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
      expect(answers.filter(({ replayed }) => !replayed).length).toBe(1);
      expect(answers.every(({ body }) => body.state === 'loaded')).toBe(true);
      expect(told?.uploads).toBeLessThanOrEqual(22);
      const [free] = (await (await client.get('/jobs')).json()) as { uploads: number }[];
      expect(free?.uploads).toBe(0);
    },
    { queueMax: 30 },
  );
  expect(await numbers()).toEqual([0, 7]);
});

test('a key is known after kill -9, whether its upload was loaded or is still to be', async () => {
  const started = async (): Promise<{ process: CliProcess; client: ServiceClient }> => {
    await writeFile(join(scene.folder, 'jobs.json'), JSON.stringify({ jobs: jobs() }));
    const words = ['serve', '--config', 'jobs.json', '--port', '0'];
    const process = startCli([...words, '--database-url', scene.db.url], {
      cwd: scene.folder,
      env: { ETL_SERVE_TOKEN: TOKEN },
    });
    for (let look = 0; look < 1_500; look++) {
      const url = /Serving rows, other at (\S+)/.exec(process.said())?.[1];
      if (url !== undefined) return { process, client: clientOf(url) };
      await sleep(20);
    }
    throw new Error(process.said());
  };
  const holder = await scene.db.client();
  const one = await started();
  const loaded = await send(one.client, 'loaded', [{ n: 1 }]);
  await holder.query(closeGateSql('merge'));
  await one.client.rows('rows', [{ n: 2, name: 'merge gate' }], '?wait=0');
  await untilWaiting(scene.db, 'merge');
  const waiting = await send(one.client, 'waiting', [{ n: 3 }], '?wait=0');
  expect([waiting.status, waiting.body.state]).toEqual([202, 'queued']);
  one.process.kill('SIGKILL');
  await one.process.end;
  await holder.end();
  const two = await started();
  expect(await send(two.client, 'loaded', [{ n: 1 }])).toEqual({ ...loaded, replayed: true });
  const resumed = await send(two.client, 'waiting', [{ n: 3 }]);
  expect([resumed.replayed, resumed.body.id]).toEqual([true, waiting.body.id]);
  expect(resumed.body.state).toBe('loaded');
  expect((await send(two.client, 'waiting', [{ n: 4 }])).status).toBe(422);
  two.process.kill('SIGTERM');
  expect((await two.process.end).code).toBe(0);
  expect(await numbers()).toEqual([1, 2, 3]);
});
