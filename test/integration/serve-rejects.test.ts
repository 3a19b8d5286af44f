import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { ErrorRecord } from '../../src/errors.ts';
import { useScene } from '../support/scene.ts';
import { withService, type ServeOptions, type ServiceClient } from '../support/service.ts';

/** Rows that a quarantine took are told to who sent them, with the reasons. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const QUARANTINE: ServeOptions = { shared: { settings: { onError: 'quarantine' } } };

const serve = <T>(use: (client: ServiceClient) => Promise<T>): Promise<T> =>
  withService(scene, { rows: { table: scene.table } }, use, QUARANTINE);

async function toldBy(answer: Response, status: number): Promise<string> {
  expect(answer.status).toBe(status);
  return ((await answer.json()) as ErrorRecord).sentence;
}

test('the rejected rows of an upload can be fetched, over a restart, until they are removed', async () => {
  const rows = [
    { id: 1, name: 'a' },
    { id: 'two', name: 'b' },
  ];
  const { id, path } = await serve(async (client) => {
    const report = await client.rows('rows', rows);
    expect(report.counts.rejected).toBe(1);
    const answer = await client.get(`/runs/${report.id}/rejects`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      ...[200, 'text/csv; charset=utf-8'],
    ]);
    const [header, row, end, ...others] = (await answer.text()).split('\n');
    expect(header).toMatch(/^etl_record,.*etl_reason/);
    expect(row).toMatch(/^2,.*id.*22P02.*two/);
    expect([end, others]).toEqual(['', []]);
    return { id: report.id, path: report.files[0]?.rejects ?? '' };
  });
  await serve(async (client) => {
    expect((await client.get(`/runs/${id}/rejects`)).status).toBe(200);
    await rm(path);
    const gone = await client.get(`/runs/${id}/rejects`);
    expect(await toldBy(gone, 404)).toBe('The rejected rows are not there any more.');
  });
});

test('of several files one is asked for; where there are none that is said', async () => {
  await serve(async (client) => {
    const form = new FormData();
    for (const [name, text] of [
      ['good.csv', 'id\n1\n'],
      ['bad.csv', 'id\nx\n'],
      ['worse.csv', 'id\ny\nz\n'],
    ] as const) {
      form.append('file', new File([text], name));
    }
    const { id } = (await (await client.post('/jobs/rows/files', form)).json()) as { id: string };
    const rejects = `/runs/${id}/rejects`;
    for (const file of ['', '?file=1', '?file=4', '?file=x', '?file=../2']) {
      expect(await toldBy(await client.get(rejects + file), 400)).toContain('2 files');
    }
    const second = await (await client.get(`${rejects}?file=3`)).text();
    expect(second.trim().split('\n')).toHaveLength(3);
    const good = await client.rows('rows', [{ id: 9, name: 'good' }]);
    const none = await client.get(`/runs/${good.id}/rejects`);
    expect(await toldBy(none, 404)).toContain('No row');
    expect((await client.get('/runs/none/rejects')).status).toBe(404);
    expect((await fetch(`${client.url}${rejects}`)).status).toBe(401);
    expect((await fetch(`${client.url}/health`, { method: 'HEAD' })).status).toBe(200);
  });
});
