import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import type { UploadReport } from '../../src/serve/upload.ts';
import { useScene } from '../support/scene.ts';
import { TOKEN, withService, type ServiceClient } from '../support/service.ts';

/** What a service holds is what is under way, and the last ends; whatever it has done before. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const JSON_TYPE = { 'content-type': 'application/json' };
const TIMES = 8;

/** Sends the head of a request and a part of its body, and hangs up. */
async function hangUp(client: ServiceClient): Promise<void> {
  const { hostname, port } = new URL(client.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(
    `POST /jobs/rows/rows HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n` +
      'content-type: application/json\r\ncontent-length: 100\r\n\r\n[{"id": 1}',
  );
  await sleep(5);
  socket.destroy();
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** By node:http: what fetch keeps for its own is not to be told from what the service keeps. */
function send(
  client: ServiceClient,
  path: string,
  body: string | null,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const authorization = `Bearer ${TOKEN}`;
    const method = body === null ? 'GET' : 'POST';
    const options = { method, headers: { authorization, ...JSON_TYPE, ...headers } };
    const asked = request(client.url + path, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.on('error', reject).end(body ?? undefined);
  });
}

/** Follows a run, and leaves before it has ended. */
function follow(client: ServiceClient, id: string): Promise<void> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const asked = request(`${client.url}/runs/${id}/events`, { headers }, (answer) => {
      answer.on('error', () => undefined).on('close', () => resolve());
      asked.destroy();
    });
    asked.on('error', () => resolve()).end();
  });
}

async function untilEnded(client: ServiceClient, id: string): Promise<void> {
  for (let look = 0; look < 1_000; look++) {
    const { text } = await send(client, `/runs/${id}`, null);
    if ((JSON.parse(text) as UploadReport).finishedAt !== null) return;
    await sleep(20);
  }
  throw new Error(`the upload ${id} does not end`);
}

/** What becomes of uploads, each of it `TIMES` times. */
async function everything(client: ServiceClient, round: number): Promise<void> {
  const statuses = new Set<number>();
  const post = async (path: string, body: string, headers = {}): Promise<Answer> => {
    const answer = await send(client, path, body, headers);
    statuses.add(answer.status);
    return answer;
  };
  for (let time = 0; time < TIMES; time++) {
    const rows = `[{"id": ${time}, "name": "${round}"}]`;
    const key = { 'idempotency-key': `${round}-${time}` };
    await post('/jobs/rows/rows', rows, key);
    await post('/jobs/rows/rows', rows, key);
    await post('/jobs/rows/rows', '[{"id": "x"}]');
    await post('/jobs/rows/rows', '[{"id":');
    await post(`/jobs/none-${round}-${time}/rows`, '[]');
    await post('/jobs/rows/rows', ' '.repeat(20_000));
    await post('/jobs/rows/rows', '[]', { authorization: 'Bearer other' });
    const queued = await post('/jobs/rows/rows?wait=0', rows);
    const { id } = JSON.parse(queued.text) as UploadReport;
    await Promise.all([follow(client, id), hangUp(client)]);
    await untilEnded(client, id);
  }
  expect([...statuses].sort()).toEqual([200, 202, 401, 404, 413, 422]);
}

interface Kept {
  readonly timers: number;
  readonly signals: number;
  readonly files: readonly string[];
  readonly sessions: number;
  readonly heapBytes: number;
}

/** After a collection of garbage, with which queryObjects begins. */
async function kept(client: ServiceClient): Promise<Kept> {
  // What was hung up, or left, is noticed a moment later.
  await sleep(200);
  const { text } = await send(client, '/jobs', null);
  expect(JSON.parse(text)).toMatchObject([{ uploads: 0 }]);
  const [row] = await scene.db.query(
    `select count(*)::int as sessions from pg_stat_activity where application_name like 'etl %'
        and datname = current_database()`,
  );
  const signals = queryObjects(AbortSignal) as number;
  return {
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    signals,
    files: await readdir(join(scene.folder, 'spool/files')),
    sessions: Number(row?.['sessions']),
    heapBytes: process.memoryUsage().heapUsed,
  };
}

test('nothing is left of an upload but its end, however it went', async () => {
  await withService(
    scene,
    { rows: { table: scene.table } },
    async (client) => {
      await everything(client, 0);
      const before = await kept(client);
      for (const round of [1, 2]) await everything(client, round);
      const after = await kept(client);
      // One that is kept for each upload of any kind would be this many.
      expect(after.signals - before.signals).toBeLessThan(2 * TIMES);
      expect(after.timers - before.timers).toBeLessThan(2 * TIMES);
      expect([after.files, after.sessions <= 3]).toEqual([[], true]);
      // The ends of these uploads take 0.1 MB.
      expect(after.heapBytes - before.heapBytes).toBeLessThan(8_000_000);
    },
    { bodyBytesMax: 10_000 },
  );
});
