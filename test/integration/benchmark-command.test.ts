import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BenchmarkResults } from '../../benchmarks/results.ts';
import { startCli } from '../support/cli-process.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { etl } from '../support/etl.ts';

/** `etl benchmark` as a user meets it: with too few rights, and with Ctrl-C. */
let db: TestDatabase;
let cwd = '';
let role = '';

beforeAll(async () => {
  db = await createTestDatabase();
  cwd = await mkdtemp(join(tmpdir(), 'etl-benchmark-command-'));
  role = `measurer_${db.name.slice(5)}`;
  await db.query(`create role ${role} login password 'secret'`);
});
afterAll(async () => {
  await db.query(`drop role ${role}`);
  await expectNoLeaks(db.url);
  await db.drop();
  await rm(cwd, { recursive: true });
});

const schemas = () => db.query(`select nspname from pg_namespace where nspname like 'etl\\_%'`);

test('a role that may not make a schema is told the grant, before anything is measured', async () => {
  await writeFile(join(cwd, '1.csv'), `id,name\n${'1,a\n'.repeat(1)}`);
  await writeFile(
    join(cwd, 'job.json'),
    JSON.stringify({ loads: [{ table: 't', key: ['id'], files: ['1.csv'] }] }),
  );
  const url = db.url.replace(/\/\/[^@/]*@/, `//${role}:secret@`);
  for (const words of [
    ['--scenario', 'stage-parquet'],
    ['--config', 'job.json'],
  ]) {
    const end = await etl(['benchmark', ...words, '--database-url', url], { cwd });
    expect([end.code, end.stdout]).toEqual([2, '']);
    expect(end.stderr).toContain(`grant create on database ${db.name} to ${role};`);
    expect(end.stderr).toContain('[ETL_PRIVILEGE]');
  }
  await expect(access(join(cwd, 'benchmark-results/results.json'))).rejects.toThrow('ENOENT');
});

test.runIf(process.platform === 'linux')(
  'a folder that cannot be made is refused before anything is measured',
  async () => {
    const words = ['--scenario', 'stage-parquet', '--output', '/proc/no-such-folder/results'];
    const end = await etl(['benchmark', ...words, '--database-url', db.url], { cwd });
    expect([end.code, end.stdout]).toEqual([2, '']);
    expect(end.stderr).toContain('The folder for the results cannot be made.');
  },
);

test('what was measured before Ctrl-C is kept, and told; the rest leaves nothing behind', async () => {
  const scenarios = ['--scenario', 'stage-parquet', '--scenario', 'six-files-half'];
  const words = ['benchmark', ...scenarios, '--runs', '1', '--output', 'kept'];
  const running = startCli([...words, '--database-url', db.url], { cwd });
  try {
    // The second scenario has begun once its title is there.
    const begun = (): boolean => running.said().split(' rows · ').length > 2;
    for (let look = 0; look < 3_000 && !begun(); look++) await sleep(20);
    running.kill('SIGINT');
    const { code, stderr } = await running.end;
    expect([code, stderr]).toEqual([130, expect.stringContaining('1 of the scenarios')]);
    expect(stderr).toContain(join('kept', 'results.json'));
  } finally {
    running.kill('SIGKILL');
  }
  const text = await readFile(join(cwd, 'kept/results.json'), 'utf8');
  const { cases } = JSON.parse(text) as BenchmarkResults;
  expect([...new Set(cases.map(({ scenario }) => scenario))]).toHaveLength(1);
  await access(join(cwd, 'kept/index.html'));
  expect(await schemas()).toEqual([]);
});
