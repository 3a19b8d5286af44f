import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { OracleFile } from '../../tools/oracle.ts';
import { digestOf, oracleDigest } from '../support/batched-oracle.ts';
import { runCli, type CliEnd } from '../support/cli-process.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { useScene } from '../support/scene.ts';
import { faultyWorkers, hasStruck, type WorkerFault } from '../support/worker-faults.ts';

/**
 * A worker thread of a real process dies in the middle of its work: by an exception that nobody
 * catches, by an exit, by a full heap. Its connection goes with it, and another thread does the work.
 */
const columns = (table: string): string =>
  `create table ${table} (id bigint primary key, name text, n bigint)`;
const scene = useScene(columns);

async function run(words: readonly string[], fault: WorkerFault | null): Promise<CliEnd> {
  const always = ['--concurrency', '3', '--threads', 'always'];
  const argv = ['run', 'f*.csv', '--database-url', scene.db.url, ...always, ...words];
  const env = fault === null ? {} : faultyWorkers(fault);
  return runCli(argv, { cwd: scene.folder, env });
}

const CASES = (['throws', 'exits', 'heap'] as const).flatMap((how) => [
  [how, 'stage', 'full-parallel'] as const,
  [how, 'exportKeys', 'full-parallel'] as const,
  [how, 'merge', 'full-parallel'] as const,
]);

/** The keys of all files lie in one range, so that each file's keys are asked for while it waits. */
function interleavedFiles(): OracleFile[] {
  return overlappingFiles(4, 200, 0).map((file, place) => ({
    ...file,
    rows: file.rows.map(([id, ...rest]) => [String(Number(id) * 5 + place), ...rest]),
  }));
}

test.for([
  ...CASES,
  ['exits', 'stage', 'partitioned'] as const,
  ['throws', 'merge', 'partitioned'] as const,
])('a worker %s at %s (%s)', async ([how, at, strategy]) => {
  const files = at === 'exportKeys' ? interleavedFiles() : overlappingFiles(4, 200, 70);
  await scene.write(csvFiles(files));
  const fault = { how, at, marker: join(scene.folder, 'struck') };
  const end = await run(['--table', scene.table, '--strategy', strategy], fault);
  expect(hasStruck(fault)).toBe(true);
  expect(end.code, end.stdout + end.stderr).toBe(0);
  expect(end.stdout).toContain('A worker thread is lost');
  const wanted = await oracleDigest(scene.db, columns, 'update', files);
  expect(await digestOf(scene.db, scene.table)).toBe(wanted);
});

test('a worker that dies while it fills a new table', async () => {
  const files = overlappingFiles(3, 4_200, 5_000).map((file) => ({
    ...file,
    rows: [...new Map(file.rows.map((row) => [row[0], row])).values()],
  }));
  await scene.write(csvFiles(files));
  const fault = { how: 'exits', at: 'copy', marker: join(scene.folder, 'struck') } as const;
  const table = `${scene.table}_new`;
  const end = await run(['--table', table, '--key', 'id', '--strategy', 'full-parallel'], fault);
  expect(hasStruck(fault)).toBe(true);
  expect(end.code, end.stdout + end.stderr).toBe(0);
  const wanted = await oracleDigest(scene.db, columns, 'update', files);
  expect(await digestOf(scene.db, table)).toBe(wanted);
});

test('workers that die again and again fail the load, and the next run makes it', async () => {
  const files = overlappingFiles(4, 200, 70);
  await scene.write(csvFiles(files));
  const words = ['--table', scene.table];
  const end = await run(words, { how: 'exits', at: 'merge', marker: null });
  expect(end.code, end.stdout + end.stderr).toBe(1);
  expect(end.stdout.replaceAll(/\s+/g, ' ')).toContain('A worker thread is lost');
  expect(end.stdout).toContain('lower --concurrency');
  expect(end.stdout + end.stderr).not.toMatch(/\n\s+at /);
  expect((await run(words, null)).code).toBe(0);
  const wanted = await oracleDigest(scene.db, columns, 'update', files);
  expect(await digestOf(scene.db, scene.table)).toBe(wanted);
});
