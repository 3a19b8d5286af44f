import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { UploadReport } from '../../src/serve/upload.ts';
import { startCli, type CliEnd, type CliProcess } from '../support/cli-process.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { useScene } from '../support/scene.ts';
import { clientOf, TOKEN, type ServiceClient } from '../support/service.ts';

/** The service as a process that is stopped, killed and started again. */
const scene = useScene(
  (table) =>
    `create table ${table} (n int, name text, constraint held check (fault('merge', name)))`,
  FAULTS,
);

interface Running {
  readonly process: CliProcess;
  readonly client: ServiceClient;
}

async function start(...words: string[]): Promise<Running> {
  const jobs = { rows: { table: scene.table, onConflict: 'append' } };
  await writeFile(join(scene.folder, 'jobs.json'), JSON.stringify({ jobs }));
  const process = startCli(
    ['serve', '--config', 'jobs.json', '--port', '0', '--database-url', scene.db.url, ...words],
    { cwd: scene.folder, env: { ETL_SERVE_TOKEN: TOKEN } },
  );
  const url = await said(process, /Serving rows at (\S+)/);
  return { process, client: clientOf(url) };
}

async function said(process: CliProcess, words: RegExp): Promise<string> {
  for (let look = 0; look < 1_000; look++) {
    const found = words.exec(process.said());
    if (found !== null) return found[1] ?? '';
    await sleep(20);
  }
  throw new Error(`it does not say ${String(words)}: ${process.said()}`);
}

async function stopped({ process }: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<CliEnd> {
  process.kill(signal);
  return process.end;
}

const countsByNumber = async (): Promise<number[]> =>
  (await scene.db.query(`select count(*)::int as c from ${scene.table} group by n order by n`)).map(
    (row) => Number(row['c']),
  );

async function accept({ client }: Running, n: number, name = 'x'): Promise<UploadReport> {
  const report = await client.rows('rows', [{ n, name }], '?wait=0');
  expect(report.id).toMatch(/^\d{17}-[0-9a-f]{8}$/);
  return report;
}

test('what was accepted is loaded exactly once, however often the process is killed', async () => {
  const accepted: UploadReport[] = [];
  let n = 0;
  for (let life = 0; life < 4; life++) {
    const running = await start();
    const sending = Array.from({ length: 12 }, async () => {
      const mine = n++;
      // An answer that did not come says nothing: only what was accepted is promised.
      const report = await accept(running, mine).catch(() => null);
      if (report !== null) accepted.push(report);
    });
    await Promise.all(sending.slice(0, 6));
    // At another place each time: while it takes, queues, loads, or writes down.
    await sleep(life * 70);
    await stopped(running, 'SIGKILL');
    await Promise.all(sending);
  }
  expect(accepted.length).toBeGreaterThan(20);
  const last = await start();
  for (const { id } of accepted) {
    expect(await last.client.ended(id)).toMatchObject({ state: 'loaded' });
  }
  expect((await stopped(last)).code).toBe(0);
  const rows = await scene.db.query(`select n from ${scene.table} order by n`);
  const numbers = rows.map((row) => Number(row['n']));
  // None twice; and of those whose answer came, all.
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBeGreaterThanOrEqual(accepted.length);
  expect(await readdir(join(scene.folder, 'spool/files'))).toEqual([]);
});

test('SIGTERM sees the run to its end, refuses more, and keeps the rest for the next start', async () => {
  const holder = await scene.db.client();
  await holder.query(closeGateSql('merge'));
  const running = await start();
  const waiting = running.client.rows('rows', [{ n: 1, name: 'merge gate' }]);
  await untilWaiting(scene.db, 'merge');
  const next = await accept(running, 2);
  running.process.kill('SIGTERM');
  await said(running.process, /(Interrupted; ending)/);
  // Whoever waits is told that it is accepted; whoever comes is sent away, and the connection closed.
  expect(await waiting).toMatchObject({ state: 'loading', finishedAt: null });
  const refused = await running.client.post('/jobs/rows/rows', '[]');
  expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close']);
  expect(await refused.json()).toMatchObject({ code: 'ETL_BUSY' });
  expect(await (await running.client.get('/health')).json()).toEqual({ status: 'stopping' });
  expect((await running.client.get('/health/ready')).status).toBe(503);
  await holder.end();
  const end = await running.process.end;
  expect([end.code, end.signal]).toEqual([0, null]);
  expect(await countsByNumber()).toEqual([1]);
  const again = await start();
  expect(await again.client.ended(next.id)).toMatchObject({ state: 'loaded' });
  expect((await stopped(again, 'SIGINT')).code).toBe(0);
  expect(await countsByNumber()).toEqual([1, 1]);
});

test('a second signal rolls the run back; the next start loads it', async () => {
  const holder = await scene.db.client();
  await holder.query(closeGateSql('merge'));
  const running = await start();
  const { id } = await accept(running, 1, 'merge gate');
  await untilWaiting(scene.db, 'merge');
  running.process.kill('SIGTERM');
  await said(running.process, /(Interrupted; ending)/);
  expect((await stopped(running)).code).toBe(130);
  await holder.end();
  const again = await start();
  expect(await again.client.ended(id)).toMatchObject({ state: 'loaded' });
  await stopped(again);
  expect(await countsByNumber()).toEqual([1]);
});

test('a spool has one service, and its uploads a job', async () => {
  const holder = await scene.db.client();
  await holder.query(closeGateSql('merge'));
  const running = await start();
  await accept(running, 1, 'merge gate');
  const other = startCli(
    ['serve', '--config', 'jobs.json', '--port', '0', '--database-url', scene.db.url],
    { cwd: scene.folder },
  );
  const refused = await other.end;
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('Another etl serve uses the spool folder');
  await untilWaiting(scene.db, 'merge');
  await stopped(running, 'SIGKILL');
  await holder.end();
  await writeFile(join(scene.folder, 'jobs.json'), '{ "jobs": { "other": { "table": "t" } } }');
  const without = startCli(
    ['serve', '--config', 'jobs.json', '--port', '0', '--database-url', scene.db.url],
    { cwd: scene.folder },
  );
  const told = await without.end;
  expect(told.code).toBe(2);
  expect(told.stderr).toContain('1 accepted uploads of jobs that are not served any more: rows');
  const again = await start();
  for (let look = 0; look < 500 && (await countsByNumber()).length === 0; look++) await sleep(20);
  await stopped(again);
  expect(await countsByNumber()).toEqual([1]);
});

test('without a token of the operator’s it makes one, says it once, and takes no other', async () => {
  await writeFile(join(scene.folder, 'jobs.json'), '{ "jobs": { "rows": { "table": "t" } } }');
  const process = startCli(
    ['serve', '--config', 'jobs.json', '--port', '0', '--database-url', scene.db.url, '--verbose'],
    { cwd: scene.folder },
  );
  const url = await said(process, /Serving rows at (\S+)/);
  const [, token = ''] = /Token, made for this process: (\S+)/.exec(process.said()) ?? [];
  expect((await clientOf(url, token).get('/jobs')).status).toBe(200);
  expect((await clientOf(url).get('/jobs')).status).toBe(401);
  process.kill('SIGTERM');
  const end = await process.end;
  expect((end.stdout + end.stderr).split(token)).toHaveLength(2);
  expect(end.stdout + end.stderr).not.toContain(TOKEN);
});
