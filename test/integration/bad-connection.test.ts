import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD_NOTICE } from '../../src/cli/hide-password.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { serverUrl } from '../support/database.ts';
import { readyHome } from '../support/embedded-process.ts';
import { etl, expectTold } from '../support/etl.ts';

/** A database that cannot be reached is told before anything begins, and never with a password. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-bad-'));
  await writeFile(join(folder, 'a.csv'), 'id,name\n1,a\n');
});
afterAll(() => rm(folder, { recursive: true }));

function argv(url: string): string[] {
  return ['run', 'a.csv', '--table', 't', '--key', 'id', '--database-url', url];
}

test.for([
  ['a database that does not exist', 'ETL_CONNECTION', /\/[^/?]+(?=\?)/, '/no_such_database'],
  ['a role that does not exist', 'ETL_CONNECTION', /\/\/postgres@/, '//nobody_of_that_name@'],
  ['a server that is not there', 'ETL_CONNECTION', /host=[^&]*/, 'host=/no/such/folder'],
] as const)('%s', async ([, code, part, instead]) => {
  const url = serverUrl().replace(part, instead);
  expect(url).not.toBe(serverUrl());
  expectTold(await etl(argv(url), { cwd: folder }), code, 2);
});

test('a wrong password, which is not printed; none; and one without privileges', async () => {
  const home = await readyHome();
  const server = await startEmbedded({ home, mode: 'attached', temporary: true });
  try {
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query(`create role guarded login password 'right'`);
    const found = await admin.query<{ file: string }>(`select current_setting('hba_file') as file`);
    const file = found.rows[0]?.file ?? '';
    const rules = await readFile(file, 'utf8');
    await writeFile(file, `local all guarded scram-sha-256\n${rules}`);
    await admin.query('select pg_reload_conf()');
    await admin.end();
    const as = (user: string): string => server.url.replace(/\/\/[^/]*@/, `//${user}@`);
    const refused = await etl(argv(as('guarded:wr0ng')), { cwd: folder });
    expectTold(refused, 'ETL_CONNECTION', 2, { sqlState: '28P01' });
    expect(refused.stderr).toContain('Check the user, and the password');
    expect(refused.stderr).toMatch(/ \(database \S+ at \S+:\d+\)\. /);
    expect(refused.stdout + refused.stderr).not.toContain('wr0ng');
    const missing = await etl(argv(as('guarded')), { cwd: folder });
    expectTold(missing, 'ETL_CONNECTION', 2);
    const right = argv(as('guarded:right'));
    expectTold(await etl(right, { cwd: folder }), 'ETL_PRIVILEGE', 2, { sqlState: '42501' });
    expect(await etl(['plan', ...right.slice(1)], { cwd: folder })).toMatchObject({
      code: 0,
      stderr: PASSWORD_NOTICE,
    });
  } finally {
    await server.release();
  }
});
