import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import type { ErrorRecord } from '../../src/errors.ts';
import type { UploadReport } from '../../src/serve/upload.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { useScene } from '../support/scene.ts';
import { withService, type ServiceClient } from '../support/service.ts';

/** The service as its clients see it: real HTTP, a real spool, a real PostgreSQL. */
const scene = useScene(
  (table) =>
    `create table ${table} (id int primary key, name text, n int,
       constraint held check (fault('merge', name)))`,
  FAULTS,
);

const jobs = (): Record<string, object> => ({
  rows: { table: scene.table },
  pages: { table: scene.table, json: { records: '/data/items' } },
  skip: { table: scene.table, onConflict: 'ignore' },
});

const serve = <T>(use: (client: ServiceClient) => Promise<T>, options = {}): Promise<T> =>
  withService(scene, jobs(), use, options);

const table = async (): Promise<unknown[]> =>
  (await scene.db.query(`select id, name, n from ${scene.table} order by id`)).map((row) =>
    Object.values(row),
  );

const JSON_TYPE = { 'content-type': 'application/json' };

async function bodyOf(
  answer: Response,
): Promise<UploadReport & ErrorRecord & { report: UploadReport }> {
  return (await answer.json()) as UploadReport & ErrorRecord & { report: UploadReport };
}

describe('rows', () => {
  test('as JSON are loaded, and the answer is their report', async () => {
    await serve(async (client) => {
      const body = JSON.stringify([
        { id: 1, name: 'a', n: 1 },
        { id: 2, name: 'b', n: null },
      ]);
      const answer = await client.post('/jobs/rows/rows', body, JSON_TYPE);
      const report = await bodyOf(answer);
      expect([answer.status, report.state]).toEqual([200, 'loaded']);
      expect(answer.headers.get('location')).toBe(`/runs/${report.id}`);
      expect(report.counts).toEqual({
        ...{ rowsRead: 2, inserted: 2, updated: 0, unchanged: 0, superseded: 0, rejected: 0 },
      });
      expect(report.runs).toMatchObject([{ uploads: 1, files: 1, totals: { inserted: 2 } }]);
      expect(await (await client.get(`/runs/${report.id}`)).json()).toEqual(report);
      expect(await client.rows('skip', [{ id: 2, name: 'x', n: 9 }])).toMatchObject({
        counts: { rowsRead: 1, inserted: 0, unchanged: 1 },
      });
    });
    expect(await table()).toEqual([
      [1, 'a', 1],
      [2, 'b', null],
    ]);
    expect(await readdir(join(scene.folder, 'spool/files'))).toEqual([]);
  });

  test('stand at the pointer of the job, or are the array itself, or lines', async () => {
    await serve(async (client) => {
      const page = { data: { items: [{ id: 1, name: 'page', n: 1 }] }, more: true };
      expect(await client.rows('pages', page)).toMatchObject({ state: 'loaded' });
      expect(await client.rows('pages', [{ id: 2, name: 'array', n: 2 }])).toMatchObject({
        state: 'loaded',
      });
      const lines = '{"id":3,"name":"lines","n":3}\n{"id":4,"name":"lines","n":4}\n';
      const type = { 'content-type': 'application/x-ndjson' };
      expect((await client.post('/jobs/pages/rows', lines, type)).status).toBe(200);
      const packed = { ...type, 'content-encoding': 'gzip' };
      const more = gzipSync('{"id":5,"name":"packed","n":5}\n');
      expect((await client.post('/jobs/rows/rows', more, packed)).status).toBe(200);
      expect(await client.rows('rows', { id: 6, name: 'one', n: 6 })).toMatchObject({
        counts: { inserted: 1 },
      });
    });
    expect((await table()).map((row) => (row as unknown[])[1])).toEqual([
      ...['page', 'array', 'lines', 'lines', 'packed', 'one'],
    ]);
  });

  test('that are bad are the answer: the error, in the names of the client', async () => {
    await serve(async (client) => {
      const body = JSON.stringify([
        { id: 1, n: 1 },
        { id: 2, n: 'two' },
      ]);
      const answer = await client.post('/jobs/rows/rows', body, JSON_TYPE);
      const told = await bodyOf(answer);
      expect([answer.status, told.code]).toEqual([422, 'ETL_ROW_INVALID']);
      expect(told.facts).toMatchObject({ file: 'rows.json', column: 'n', value: 'two' });
      expect(told.remedy).not.toBe('');
      expect(told.report).toMatchObject({ state: 'failed', error: { code: 'ETL_ROW_INVALID' } });
      expect(JSON.stringify(told)).not.toContain(scene.folder);
      const state = await bodyOf(await client.get(`/runs/${told.report.id}`));
      expect(state).toEqual(told.report);
    });
    expect(await table()).toEqual([]);
  });

  test('with quarantine leave the bad ones out, and count them', async () => {
    const report = await serve(
      (client) =>
        client.rows('rows', [
          { id: 1, n: 1 },
          { id: 2, n: 'two' },
        ]),
      { shared: { settings: { onError: 'quarantine' } } },
    );
    expect(report).toMatchObject({ state: 'loaded', counts: { rowsRead: 2, rejected: 1 } });
    expect(report.files[0]?.rejects).toContain(join(scene.folder, 'rejects'));
    expect((await readdir(join(scene.folder, 'rejects'))).length).toBe(1);
    expect(await table()).toEqual([[1, null, 1]]);
  });
});

describe('files', () => {
  const csv = 'id,name,n\n1,a,1\n2,b,2\n';

  test('come as a body, with a type, a name, or both', async () => {
    await serve(async (client) => {
      const plain = await client.post('/jobs/rows/files', csv, { 'content-type': 'text/csv' });
      expect([plain.status, (await bodyOf(plain)).counts.inserted]).toEqual([200, 2]);
      const named = await client.post('/jobs/rows/files?name=o.csv.gz', gzipSync('id,n\n3,3\n'));
      expect((await bodyOf(named)).files).toMatchObject([{ name: 'o.csv.gz', inserted: 1 }]);
      const tabs = { 'content-type': 'text/tab-separated-values', 'content-encoding': 'gzip' };
      expect((await client.post('/jobs/rows/files', gzipSync('id\tn\n4\t4\n'), tabs)).status).toBe(
        200,
      );
      const parquet = parquetWriteBuffer({
        columnData: [
          { name: 'id', data: [5], type: 'INT32' },
          { name: 'n', data: [5], type: 'INT32' },
        ],
      });
      const type = { 'content-type': 'application/vnd.apache.parquet' };
      expect((await client.post('/jobs/rows/files', parquet, type)).status).toBe(200);
    });
    expect((await table()).map((row) => (row as unknown[])[0])).toEqual([1, 2, 3, 4, 5]);
  });

  test('of a form are loaded in their order, each with its own verdict', async () => {
    const report = await serve(async (client) => {
      const form = new FormData();
      form.append('note', 'a field is not a file');
      form.append('file', new File(['id,n\n1,1\n2,2\n'], 'first.csv', { type: 'text/csv' }));
      form.append('file', new File(['id,n\n1,one\n'], 'bad.csv'));
      form.append('file', new File(['id,n\n1,10\n'], '../third.csv'));
      const answer = await client.post('/jobs/rows/files', form);
      expect(answer.status).toBe(422);
      return (await bodyOf(answer)).report;
    });
    expect(report.files).toMatchObject([
      { name: 'first.csv', status: 'loaded', rowsRead: 2 },
      { name: 'bad.csv', status: 'failed', error: { facts: { file: 'bad.csv', line: 2 } } },
      { name: 'third.csv', status: 'loaded' },
    ]);
    expect(report.error?.facts.file).toBe('bad.csv');
    expect(await table()).toEqual([
      [1, null, 10],
      [2, null, 2],
    ]);
  });

  test('that cannot even be opened are refused before they are queued', async () => {
    await serve(async (client) => {
      const parquet = { 'content-type': 'application/vnd.apache.parquet' };
      const damaged = await client.post('/jobs/rows/files?name=x.parquet', 'PAR1 no', parquet);
      const told = await bodyOf(damaged);
      expect([damaged.status >= 415, told.code.startsWith('ETL_')]).toEqual([true, true]);
      expect(told.facts.file).toBe('x.parquet');
      const broken = await client.post('/jobs/rows/rows', '[{"id": 1,,}]', JSON_TYPE);
      expect([broken.status, (await bodyOf(broken)).code]).toEqual([422, 'ETL_JSON_MALFORMED']);
      for (const none of ['[]', '[{}]', '12']) {
        const empty = await client.post('/jobs/rows/rows', none, JSON_TYPE);
        const { code, sentence } = await bodyOf(empty);
        expect([empty.status, code, sentence]).toEqual([
          ...[422, 'ETL_FILE_EMPTY', 'No row in it has a field.'],
        ]);
      }
      expect(await readdir(join(scene.folder, 'spool/files'))).toEqual([]);
      const list = (await (await client.get('/jobs')).json()) as {
        name: string;
        uploads: number;
      }[];
      expect(list.map(({ name, uploads }) => [name, uploads])).toEqual([
        ...[
          ['rows', 0],
          ['pages', 0],
          ['skip', 0],
        ],
      ]);
    });
  });
});

describe('an upload that takes its time', () => {
  test('is answered with 202 and an address, where its end and its events are', async () => {
    const holder = await scene.db.client();
    await holder.query(closeGateSql('merge'));
    await serve(async (client) => {
      const body = JSON.stringify([{ id: 1, name: 'merge gate', n: 1 }]);
      const answer = await client.post('/jobs/rows/rows?wait=0', body, JSON_TYPE);
      const queued = await bodyOf(answer);
      expect([answer.status, queued.finishedAt]).toEqual([202, null]);
      const address = answer.headers.get('location') ?? '';
      const stream = await client.get(`${address}/events`);
      expect(stream.headers.get('content-type')).toContain('text/event-stream');
      await untilWaiting(scene.db, 'merge');
      expect(await bodyOf(await client.get(address))).toMatchObject({ state: 'loading' });
      const waited = await client.post('/jobs/rows/rows?wait=1', body, JSON_TYPE);
      expect(waited.status).toBe(202);
      await holder.end();
      const events = eventsOf(await stream.text());
      const kinds = events.map(({ event }) => event);
      expect(['queued', 'started']).toContain(kinds[0]);
      expect(kinds.at(-1)).toBe('done');
      expect(events.at(-1)?.data).toMatchObject({ state: 'loaded', counts: { rowsRead: 1 } });
      expect(kinds.filter((kind) => kind === 'done')).toHaveLength(1);
      expect(await client.ended((await bodyOf(waited)).id)).toMatchObject({ state: 'loaded' });
      const late = await (await client.get(`${address}/events`)).text();
      expect(eventsOf(late).map(({ event }) => event)).toEqual(['done']);
    });
  });
});

function eventsOf(text: string): { event: string; data: unknown }[] {
  return [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event = '', data = '']) => ({
    event,
    data: JSON.parse(data) as unknown,
  }));
}

describe('who watches', () => {
  test('health needs no token; metrics do, unless the operator says otherwise', async () => {
    await serve(async (client) => {
      const health = await fetch(`${client.url}/health`);
      expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
      const ready = await fetch(`${client.url}/health/ready`);
      expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
      expect((await fetch(`${client.url}/metrics`)).status).toBe(401);
      await client.rows('rows', [{ id: 1, name: 'a', n: 1 }]);
      await client.rows('rows', [
        { id: 1, name: 'a', n: 1 },
        { id: 2, n: 'x' },
      ]);
      const text = await (await client.get('/metrics')).text();
      expect(text).toContain('etl_rows_total{job="rows",outcome="inserted"} 1');
      expect(text).toContain('etl_uploads_total{job="rows",state="failed"} 1');
      expect(text).toContain('etl_queue_uploads{job="rows"} 0');
      expect(text).toContain('etl_run_seconds_count{job="rows"} 2');
      expect(text).toContain(
        'etl_requests_total{method="POST",route="/jobs/:name/rows",status="422"} 1',
      );
      expect(text).toMatch(/process_resident_memory_bytes \d+/);
    });
    await serve(async (client) => expect((await fetch(`${client.url}/metrics`)).status).toBe(200), {
      openMetrics: true,
    });
  });

  test('a database that is not there is told to whoever asks, without its name', async () => {
    const there = await scene.db.query('select 1 as one');
    expect(there).toHaveLength(1);
    const url = 'postgres://nobody:secret@127.0.0.1:1/none';
    await withService(
      { ...scene, folder: scene.folder, db: { ...scene.db, url } },
      jobs(),
      async (client) => {
        const ready = await fetch(`${client.url}/health/ready`);
        expect([ready.status, await ready.json()]).toEqual([
          ...[503, { status: 'unavailable', code: 'ETL_CONNECTION' }],
        ]);
        const delayed = await client.rows('rows', [{ id: 1, n: 1 }], '?wait=1');
        expect(delayed).toMatchObject({ finishedAt: null, error: { code: 'ETL_CONNECTION' } });
        expect(JSON.stringify(delayed)).not.toContain('secret');
      },
    );
    // The upload was accepted: it is loaded once the database is there.
    await serve(async (client) => {
      for (let look = 0; look < 500 && (await table()).length === 0; look++) {
        await client.get('/jobs');
      }
    });
    expect(await table()).toEqual([[1, null, 1]]);
  });
});
