import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PASSWORD_NOTICE } from '../../src/cli/hide-password.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { etl, expectTold } from '../support/etl.ts';

/** What a role needs that owns nothing: the README's list, and what is said where it lacks. */
let db: TestDatabase;
let folder = '';
let role = '';
let words: string[] = [];

beforeAll(async () => {
  db = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'etl-privileges-'));
  await writeFile(join(folder, '1.csv'), 'id,name\n1,a\n2,b\n');
  await writeFile(join(folder, '2.csv'), 'id,name\n2,c\n3,d\n');
  role = `loader_${db.name.slice(5)}`;
  await db.query(`create role ${role} login password 'secret'`);
  await db.query('create table public.t (id bigint primary key, name text)');
  // The driver's URLs may lack a host, which URL refuses.
  const url = db.url.replace(/\/\/[^@/]*@/, `//${role}:secret@`);
  words = ['run', '1.csv', '2.csv', '--table', 't', '--database-url', url];
});

afterEach(() => expectNoLeaks(db.url));

afterAll(async () => {
  await db.query(`drop owned by ${role} cascade`);
  await db.query(`drop role ${role}`);
  await db.drop();
  await rm(folder, { recursive: true });
});

test('without a schema for the ledger it says which, and who may make it', async () => {
  const end = await etl(words, { cwd: folder });
  expectTold(end, 'ETL_PRIVILEGE', 2, { sqlState: '42501' });
  expect(end.error?.sentence).toContain('schema etl');
  expect(end.error?.remedy).toContain(`create schema etl authorization ${role};`);
});

test('in a schema that the owner of the database made, the ledger needs no privilege on it', async () => {
  await db.query(`create schema etl authorization ${role}`);
  const end = await etl(words, { cwd: folder });
  expectTold(end, 'ETL_PRIVILEGE', 2, { sqlState: '42501' });
  expect(end.error?.sentence).toContain('permission denied for table t');
});

test.each(['sequential', 'partitioned'])(
  'select, insert and update are enough: %s',
  async (how) => {
    await db.query(`grant select, insert, update on public.t to ${role}`);
    const end = await etl([...words, '--strategy', how, '--force'], { cwd: folder });
    // The role's password stands in the URL on the command line.
    expect(end).toMatchObject({ code: 0, stderr: PASSWORD_NOTICE });
    expect(await db.query('select id::int, name from public.t order by id')).toEqual([
      { id: 1, name: 'a' },
      { id: 2, name: 'c' },
      { id: 3, name: 'd' },
    ]);
  },
);
