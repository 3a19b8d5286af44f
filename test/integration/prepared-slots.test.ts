import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEmbedded, type EmbeddedServer } from '../../src/embedded/embedded.ts';
import { load } from '../support/load.ts';
import { readyHome } from '../support/embedded-process.ts';

/** A server that has too few places left for the prepared transactions of a load. */
const HELD = ['others 1', 'others 2'];
let server: EmbeddedServer;
let others: pg.Client;
let folder = '';

beforeAll(async () => {
  const settings = { fsync: 'off', max_prepared_transactions: '3' };
  const home = await readyHome();
  server = await startEmbedded({ home, mode: 'attached', settings, temporary: true });
  folder = await mkdtemp(join(tmpdir(), 'etl-slots-'));
  others = new pg.Client({ connectionString: server.url });
  await others.connect();
  await others.query('create table t (id int primary key, name text)');
});
afterAll(async () => {
  await others.end();
  await server.release();
  await rm(folder, { recursive: true });
});

test('while others hold them the owners commit without', async () => {
  for (const name of HELD) {
    await others.query('begin');
    await others.query(`prepare transaction '${name}'`);
  }
  const rows = (name: string): string =>
    Array.from({ length: 40 }, (_, row) => `${row},${name}\n`).join('');
  await writeFile(join(folder, 'a.csv'), `id,name\n${rows('a')}`);
  await writeFile(join(folder, 'b.csv'), `id,name\n${rows('b')}`);
  const job = {
    settings: { concurrency: 2 },
    loads: [{ table: 't', files: ['*.csv'], strategy: 'partitioned' as const }],
  };
  const tries: number[] = [];
  const { report } = await load(server.url, job, {
    cwd: folder,
    parts: { ownerRowsMin: 1 },
    onEvent: (event) => {
      if (event.kind === 'unit-retried') tries.push(event.attempt);
    },
  });
  expect([report.error, report.status, tries]).toEqual([null, 'loaded', [2]]);
  const found = await others.query('select name, count(*)::int from t group by name');
  expect(found.rows).toEqual([{ name: 'b', count: 40 }]);
  const left = await others.query('select gid from pg_prepared_xacts order by gid');
  expect(left.rows.map(({ gid }: { gid: string }) => gid)).toEqual(HELD);
  for (const name of HELD) await others.query(`rollback prepared '${name}'`);
});
