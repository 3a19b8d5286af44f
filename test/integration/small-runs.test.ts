import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { runCli } from '../support/cli-process.ts';
import { useScene } from '../support/scene.ts';

/** A real process, and the threads that it starts. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text, n int)`);

/** Node loads it before all else; it listens in where threads are made. */
const COUNTER = `data:text/javascript,${encodeURIComponent(`
  import threads from 'node:worker_threads';
  import { writeFileSync } from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { Worker, isMainThread } = threads;
  let made = 0;
  threads.Worker = class extends Worker {
    constructor(...words) {
      super(...words);
      made += 1;
    }
  };
  syncBuiltinESMExports();
  if (isMainThread) process.on('exit', () => writeFileSync('threads', String(made)));
`)}`;

async function threadsOf(words: readonly string[]): Promise<number> {
  const argv = ['run', 'f*.csv', '--table', scene.table, '--database-url', scene.db.url, ...words];
  const env = { NODE_OPTIONS: `--import=${COUNTER}` };
  const end = await runCli(argv, { cwd: scene.folder, env });
  expect(end.code, end.stdout + end.stderr).toBe(0);
  return Number(await readFile(join(scene.folder, 'threads'), 'utf8'));
}

function csvOf(from: number, rows: number): string {
  const lines = Array.from({ length: rows }, (_, at) => `${from + at},x,${at}\n`);
  return `id,name,n\n${lines.join('')}`;
}

async function rows(): Promise<number> {
  const [row] = await scene.db.query(`select count(*)::int as rows from ${scene.table}`);
  return Number(row?.['rows']);
}

test('a small load needs no thread, whatever its strategy', async () => {
  await scene.write({ 'f1.csv': csvOf(0, 500), 'f2.csv': csvOf(250, 500), 'f3.csv': csvOf(0, 10) });
  for (const strategy of ['auto', 'full-parallel', 'sequential', 'partitioned']) {
    expect(await threadsOf(['--strategy', strategy, '--concurrency', '3', '--force'])).toBe(0);
  }
  expect(await rows()).toBe(750);
});

test('threads can be had, and a larger load of many workers has them unless it is told not to', async () => {
  await scene.write({ 'f1.csv': csvOf(0, 500) });
  expect(await threadsOf(['--threads', 'always', '--concurrency', '1'])).toBe(1);
  const each = LIMITS.inProcessRowsMax / 5 + 200;
  const files = [1, 2, 3, 4, 5].map((file) => [`f${file}.csv`, csvOf(file * each, each)]);
  await scene.write(Object.fromEntries(files) as Record<string, string>);
  const many = ['--concurrency', '5', '--strategy', 'full-parallel', '--force'];
  expect(await threadsOf(['--concurrency', '2'])).toBe(0);
  expect(await threadsOf(many)).toBeGreaterThan(0);
  expect(await threadsOf([...many, '--threads', 'never'])).toBe(0);
  expect(await rows()).toBe(5 * each + 500);
});
