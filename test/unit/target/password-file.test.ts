import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { filedPassword } from '../../../src/target/password-file.ts';

let folder: string;
let env: { PGPASSFILE: string };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgpass-'));
  env = { PGPASSFILE: join(folder, 'pgpass') };
  const lines = [
    '# db:5432:app:me:in a comment',
    'db:5432:app:me:exact',
    'db:5432:other:me:a:b\\:c\\\\d',
    '/my\\:folder:5432:app:me:socket',
    'localhost:*:*:me:usual socket',
    'too:few:fields',
    'db:*:*:*:any',
  ];
  await writeFile(env.PGPASSFILE, lines.join('\r\n'), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

const login = { host: 'db', port: 5432, database: 'app', user: 'me' };

test.each([
  [{}, 'exact'],
  [{ database: 'other' }, 'a:b:c\\d'],
  [{ user: 'you' }, 'any'],
  [{ port: 5433 }, 'any'],
  [{ host: '/my:folder' }, 'socket'],
  [{ host: '/var/run/postgresql' }, 'usual socket'],
  [{ host: '/elsewhere' }, undefined],
  [{ host: 'nowhere' }, undefined],
])('%j', async (change, password) => {
  expect(await filedPassword({ ...login, ...change }, env)).toBe(password);
});

test('there is none where there is no file', async () => {
  expect(await filedPassword(login, { PGPASSFILE: join(folder, 'none') })).toBeUndefined();
  expect(await filedPassword(login, { PGPASSFILE: folder })).toBeUndefined();
});

test('a file that others may read is refused, and none of its text is told', async () => {
  await chmod(env.PGPASSFILE, 0o640);
  await expect(filedPassword(login, env)).rejects.toMatchObject({
    code: 'ETL_CONNECTION',
    message: expect.not.stringContaining('exact') as string,
    record: { remedy: `Run: chmod 600 ${env.PGPASSFILE}` },
  });
  await chmod(env.PGPASSFILE, 0o600);
});
