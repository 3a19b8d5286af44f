import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { readLoads, recordingLoads, type LoadedModules } from '../support/loaded-modules.ts';
import { useScene } from '../support/scene.ts';

/**
 * What a start costs, counted in what is loaded: half of the CPU of a small load was to import 450
 * files. Of the script all is loaded, and begun what is asked for. The bounds are a quarter above what it takes; whoever reaches one has imported much.
 */
const scene = useScene((table) => `create table ${table} (id bigint primary key, name text)`);

async function loadsOf(words: readonly string[]): Promise<LoadedModules> {
  const log = emptyLog();
  const end = await runCli(words, { cwd: scene.folder, env: recordingLoads(log) });
  expect(end).toMatchObject({ code: 0, stderr: '' });
  return readLoads(log);
}

function emptyLog(): string {
  const log = join(scene.folder, 'loads.log');
  writeFileSync(log, '');
  return log;
}

/** Code that a load of CSV has no use for. */
const ELSEWHERE =
  /^src\/(?:serve|check)\/|^benchmarks\/(?:generate|page|measure|run)|^src\/run\/retry\/|\/(?:zstddec|piscina)\//;

test('etl run in one thread begins little more than it needs, all of it bundled', async () => {
  await scene.write({ 'x.csv': 'id,name\n1,one\n2,two\n' });
  const target = ['--table', scene.table, '--database-url', scene.db.url];
  const { files, sources, webGlobals } = await loadsOf(['run', 'x.csv', ...target, '--quiet']);
  expect(files.filter((path) => path.includes('node_modules'))).toEqual([]);
  expect(files.length).toBeLessThan(8);
  expect(sources.length).toBeLessThan(840);
  expect(sources).toContain('src/run/run.ts');
  expect(sources).toContain('src/pool/in-process-pool.ts');
  expect(sources.filter((path) => ELSEWHERE.test(path))).toEqual([]);
  expect(webGlobals).toEqual([]);
});

/** What is none of a worker's business. */
const ABOVE = /^src\/(?:cli|report|run|check|serve)\/|^benchmarks\/|\/(?:zod|yargs|pino|zstddec)\//;

/** By the door alone, since piscina imports it past the hooks of Node's loader. */
test('a worker thread loads few files, and neither planner nor command', async () => {
  const log = emptyLog();
  const door = new URL('../../dist/workers/session-worker.js', import.meta.url).href;
  const words = ['--input-type=module', '--eval', `import ${JSON.stringify(door)};`];
  await promisify(execFile)(process.execPath, words, {
    env: { ...process.env, ...recordingLoads(log) },
  });
  const { files, sources, webGlobals } = readLoads(log);
  expect(files.filter((path) => path.includes('node_modules'))).toEqual([]);
  expect(files.length).toBeLessThan(35);
  expect(sources).toContain('src/load/stage-file.ts');
  expect(sources.filter((path) => ABOVE.test(path))).toEqual([]);
  expect(webGlobals).toEqual([]);
});

test('what answers without an engine imports none', async () => {
  const { files, sources } = await loadsOf(['--version']);
  expect(files.length).toBeLessThan(8);
  expect(sources.length).toBeLessThan(215);
  expect(sources).toContain('src/cli/etl.ts');
  expect(sources.filter((path) => /^src\/(?:run|load|pool)\/|\/pg\//.test(path))).toEqual([]);
});

test('with --verbose the stack of a defect names the source, of a bundle, too', async () => {
  await scene.write({ 'x.csv': 'id,name\n1,one\n' });
  // What Node itself needs it for is loaded before.
  const broken = 'data:text/javascript,import "node:http";delete Array.prototype.toSorted';
  const { code, stderr } = await runCli(
    ['plan', 'x.csv', '--table', scene.table, '--database-url', scene.db.url, '--verbose'],
    {
      cwd: scene.folder,
      env: { NODE_OPTIONS: `--import=${encodeURI(broken)}` },
    },
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/ETL_INTERNAL/);
  expect(stderr).toMatch(/\n +at .*\bsrc\/plan\/[\w-]+\.ts:\d+:\d+/);
});
