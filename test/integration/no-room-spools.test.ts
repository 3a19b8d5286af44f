import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import type { ErrorRecord } from '../../src/errors.ts';
import type { UploadReport } from '../../src/serve/upload.ts';
import { startCli, type CliProcess } from '../support/cli-process.ts';
import { useScene } from '../support/scene.ts';
import { clientOf, TOKEN, type ServiceClient } from '../support/service.ts';

/** Rows on their way have no room on the disk: they are refused, nothing is lost, and life goes on. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const LIBRARY = new URL('../../dist/src/index.js', import.meta.url).href;

interface Told {
  readonly errors: readonly (ErrorRecord | null)[];
  /** What is in the folder for temporary files after each call. */
  readonly left: readonly (readonly string[])[];
}

/** Calls of upsert in a process no file of which may be larger; each call is an expression. */
async function upserts(calls: readonly string[], more: object, blocks: number): Promise<Told> {
  const spoolFolder = join(scene.folder, 'spool');
  await mkdir(spoolFolder);
  const target = { table: scene.table, key: ['id'], databaseUrl: scene.db.url, ...more };
  const script = `
    import { readdirSync } from 'node:fs';
    import { openUpsert } from ${JSON.stringify(LIBRARY)};
    const spoolFolder = ${JSON.stringify(spoolFolder)};
    const loader = await openUpsert(${JSON.stringify(target)}, { spoolFolder });
    const wide = (count, id) =>
      Array.from({ length: count }, (_, row) => ({ id: id(row), name: 'n'.repeat(100) }));
    const [errors, left] = [[], []];
    for (const rows of [${calls.join(', ')}]) {
      errors.push(await loader.upsert(rows).then(() => null, (error) => error.record ?? String(error)));
      left.push(readdirSync(spoolFolder));
    }
    await loader.close();
    console.log(JSON.stringify({ errors, left }));`;
  const path = join(scene.folder, 'upserts.mjs');
  await writeFile(path, script);
  const limited = ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', process.execPath, path];
  const { stdout } = await promisify(execFile)('sh', limited, { cwd: scene.folder });
  return JSON.parse(stdout) as Told;
}

const rows = () => scene.db.query(`select id, length(name) as n from ${scene.table} order by id`);

test('rows in memory have no room in their spool: the next call has', async () => {
  // 1 MiB, and rows of 2.6 MB.
  const calls = ['wide(20_000, (row) => row)', 'wide(2, (row) => row)'];
  const { errors, left } = await upserts(calls, {}, 2_048);
  expect(errors).toEqual([expect.objectContaining({ code: 'ETL_NO_ROOM' }), null]);
  const [error] = errors;
  expect(error?.sentence).toContain('EFBIG');
  expect(error?.remedy).toContain('spoolFolder');
  expect(error?.facts.file).toContain(join(scene.folder, 'spool'));
  expect(left).toEqual([[], []]);
  expect(await rows()).toEqual([
    { id: 0, n: 100 },
    { id: 1, n: 100 },
  ]);
});

test('bad rows in memory have no room beside them: none of the call is loaded', async () => {
  // 200 KiB: room for the rows, and none for what is wrong with them.
  const calls = [`wide(1_000, (row) => 'no number ' + row)`, 'wide(1, () => 7)'];
  const { errors, left } = await upserts(calls, { settings: { onError: 'quarantine' } }, 400);
  expect(errors).toEqual([expect.objectContaining({ code: 'ETL_NO_ROOM' }), null]);
  expect(errors[0]?.facts.file).toContain(join(scene.folder, 'spool'));
  expect(left).toEqual([[], []]);
  expect(await rows()).toEqual([{ id: 7, n: 100 }]);
});

interface Running {
  readonly process: CliProcess;
  readonly client: ServiceClient;
}

/** A test that fails leaves no service behind. */
const served: CliProcess[] = [];
afterEach(async () => {
  for (const process of served.splice(0)) {
    process.kill('SIGKILL');
    await process.end;
  }
});

/** `blocks`: of 512 bytes, that no file of the service may be larger than; null: no limit. */
async function serve(blocks: number | null, job: object = {}): Promise<Running> {
  const jobs = { rows: { table: scene.table, key: ['id'], ...job } };
  await writeFile(join(scene.folder, 'jobs.json'), JSON.stringify({ jobs }));
  const process = startCli(
    ['serve', '--config', 'jobs.json', '--port', '0', '--database-url', scene.db.url],
    {
      cwd: scene.folder,
      env: { ETL_SERVE_TOKEN: TOKEN },
      ...(blocks === null ? {} : { fileBlocksMax: blocks }),
    },
  );
  served.push(process);
  for (let look = 0; look < 1_000; look++) {
    const url = /Serving rows at (\S+)/.exec(process.said())?.[1];
    if (url !== undefined) return { process, client: clientOf(url) };
    await sleep(20);
  }
  throw new Error(`it does not serve: ${process.said()}`);
}

async function stopped({ process }: Running): Promise<string> {
  process.kill('SIGTERM');
  const end = await process.end;
  expect(end.code).toBe(0);
  expect(process.said()).not.toMatch(/\n\s+at /);
  return process.said();
}

const json = { 'content-type': 'application/json' };
const body = (count: number, first = 0): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, row) => ({ id: first + row, name: 'n'.repeat(100) })),
  );

async function spooled(): Promise<string[]> {
  const folders = await readdir(scene.folder, { withFileTypes: true, recursive: true });
  return folders
    .filter((one) => one.isFile() && one.parentPath.endsWith('files'))
    .map(({ name }) => name);
}

test('an upload has no room in the spool of the service: it answers 507, and takes the next', async () => {
  const running = await serve(2_048);
  const refused = await running.client.post('/jobs/rows/rows', body(20_000), json);
  expect(refused.status).toBe(507);
  const record = (await refused.json()) as ErrorRecord;
  expect(record).toMatchObject({ code: 'ETL_NO_ROOM' });
  expect(record.sentence).toContain('EFBIG');
  expect(record.remedy).toContain('disk');
  expect(await stat(record.facts.file ?? '')).toBeTruthy();
  expect(await spooled()).toEqual([]);
  const taken = await running.client.post('/jobs/rows/rows', body(2), json);
  expect(taken.status).toBe(200);
  await stopped(running);
  expect(await rows()).toHaveLength(2);
});

test('the journal of the service has no room: what it refused is not loaded, what it took is', async () => {
  // 4 KiB: some lines of the journal.
  const running = await serve(8);
  const statuses: number[] = [];
  for (let id = 0; id < 40; id++) {
    const keyed = { ...json, 'idempotency-key': `page-${id}` };
    const answer = await running.client.post('/jobs/rows/rows', body(1, id), keyed);
    statuses.push(answer.status);
    if (answer.status === 200) continue;
    expect(await answer.json()).toMatchObject({ code: 'ETL_NO_ROOM' });
  }
  const taken = statuses.flatMap((status, id) => (status === 200 ? [id] : []));
  expect(taken.length).toBeGreaterThan(0);
  expect(new Set(statuses)).toEqual(new Set([200, 507]));
  expect((await running.client.get('/health')).status).toBe(200);
  await stopped(running);
  expect((await rows()).map(({ id }) => id)).toEqual(taken);

  const journal = await readFile(join(scene.folder, 'spool/journal.jsonl'), 'utf8');
  const entries = journal.split('\n').filter((line) => line !== '');
  expect(entries.map((line) => typeof JSON.parse(line))).toEqual(entries.map(() => 'object'));

  // With room again it takes up what it knows, and loads nothing twice or of its own accord.
  const again = await serve(null);
  const refusedId = statuses.indexOf(507);
  for (const [id, replayed] of [
    [taken[0] ?? -1, 'true'],
    [refusedId, null],
  ] as const) {
    const keyed = { ...json, 'idempotency-key': `page-${id}` };
    const answer = await again.client.post('/jobs/rows/rows', body(1, id), keyed);
    expect([answer.status, answer.headers.get('idempotent-replayed')]).toEqual([200, replayed]);
  }
  const next = await again.client.post('/jobs/rows/rows', body(1, 1_000), json);
  expect(next.status).toBe(200);
  await stopped(again);
  expect((await rows()).map(({ id }) => id)).toEqual(
    [...taken, refusedId, 1_000].sort((a, b) => a - b),
  );
});

/** Asks until something keeps the upload from being loaded, or it has ended. */
async function delayed({ client }: Running, id: string): Promise<UploadReport> {
  for (let look = 0; look < 1_000; look++) {
    const report = (await (await client.get(`/runs/${id}`)).json()) as UploadReport;
    if (report.error !== null || report.finishedAt !== null) return report;
    await sleep(20);
  }
  throw new Error(`nothing is told of the upload ${id}`);
}

test('reject files have no room: the upload waits, and is loaded once there is some', async () => {
  // 200 KiB: room for the body, and none for the reject file of it.
  const bad = JSON.stringify(
    Array.from({ length: 1_000 }, (_, row) => ({ id: `no number ${row}`, name: 'n'.repeat(100) })),
  );
  const job = { onConflict: 'update' };
  const shared = { settings: { onError: 'quarantine' } };
  const running = await serve(400, { ...job, ...shared });
  const answer = await running.client.post('/jobs/rows/rows?wait=0', bad, json);
  expect(answer.status).toBe(202);
  const waiting = (await answer.json()) as UploadReport;
  const told = await delayed(running, waiting.id);
  expect(told).toMatchObject({ finishedAt: null, error: { code: 'ETL_NO_ROOM' } });
  await stopped(running);

  const again = await serve(null, { ...job, ...shared });
  const ended = await again.client.ended(waiting.id);
  expect(ended.files[0]).toMatchObject({ status: 'loaded', rejected: 1_000 });
  await stopped(again);
});
