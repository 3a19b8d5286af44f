import { execFile } from 'node:child_process';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, expectNoLeaks } from '../support/database.ts';

/** The package as a user gets it: packed, installed into an empty folder, called by npx. */
const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  version: string;
};
let folder = '';

beforeAll(async () => {
  await stat(join(root, 'dist/src/cli/main.js')).catch(() => {
    throw new Error('The package is not built: npm run build (npm test does so by itself).');
  });
  folder = await mkdtemp(join(tmpdir(), 'etl-package-'));
  // As root, the embedded server runs as nobody, who has to pass through.
  await chmod(folder, 0o755);
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  await writeFile(join(folder, 'package.json'), '{"name":"consumer","private":true}');
  // What `npm ci` fetched lies in npm's cache, so the registry is hardly asked.
  const words = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await run('npm', [...words, `parallel-upsert-${version}.tgz`], { cwd: folder });
});

afterAll(async () => {
  await etl(['db', 'stop']);
  await rm(folder, { recursive: true });
});

async function etl(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return run('npx', ['--no-install', 'etl', ...words], {
    cwd: folder,
    env: { ...environment(), ETL_EMBEDDED_DIR: join(folder, 'pg'), ...env },
  });
}

/** Without a database, so that the embedded one serves. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:DATABASE_URL|PG|ETL_|NODE_OPTIONS|npm_)/.test(name),
  );
  return Object.fromEntries(kept);
}

test('npx etl --version says which it is', async () => {
  expect((await etl(['--version'])).stdout).toBe(`${version}\n`);
});

test('npx etl run loads a row into the embedded server that came with it', async () => {
  await writeFile(join(folder, 'x.csv'), 'id,name\n1,one\n');
  const words = ['run', 'x.csv', '--table', 't', '--key', 'id', '--json'];
  const { stdout } = await etl(words);
  expect(JSON.parse(stdout)).toMatchObject({
    status: 'loaded',
    loads: [{ totals: { rowsRead: 1, inserted: 1 } }],
  });
  const again = await etl(words);
  expect(JSON.parse(again.stdout)).toMatchObject({ loads: [{ files: [{ status: 'skipped' }] }] });
});

test('its job files and schemas are there, and the job file plans', async () => {
  const config = join(folder, 'node_modules/parallel-upsert/config');
  const { stdout } = await etl(['plan', '--config', join(config, 'prod.json'), '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ loads: [{ files: [{}, {}, {}] }] });
  for (const name of ['job', 'report']) {
    const schema = await readFile(join(config, `${name}.schema.json`), 'utf8');
    expect(JSON.parse(schema)).toHaveProperty('$schema');
  }
});

const CONSUMER = `
import { defineJob, plan, run, silentLog, type Report, type RunEvent } from 'parallel-upsert';
const databaseUrl = process.env['ETL_CONSUMER_URL'] ?? '';
const load = { table: 'consumer', key: ['id'], files: ['x.csv'] };
const planned = await plan(defineJob({ loads: [load] }), { databaseUrl, log: silentLog });
const running = run(planned, { databaseUrl, log: silentLog });
const kinds: RunEvent['kind'][] = [];
for await (const event of running) kinds.push(event.kind);
const report: Report = await running.report;
const inserted: number = report.loads[0]?.totals.inserted ?? NaN;
console.log(JSON.stringify({ inserted, last: kinds.at(-1) }));
`;

test('the library is typed, and loads', async () => {
  await writeFile(join(folder, 'consumer.mts'), CONSUMER);
  await writeFile(
    join(folder, 'wrong.mts'),
    CONSUMER.replace('const inserted: number', 'const inserted: string'),
  );
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true });
  await symlink(
    join(root, 'node_modules/@types/node'),
    join(folder, 'node_modules/@types/node'),
  ).catch(() => undefined);
  // Without skipLibCheck: the declarations that are shipped must stand for themselves.
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const flags = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  const { stdout: problems } = await run(
    process.execPath,
    [tsc, ...flags, 'consumer.mts', 'wrong.mts'],
    { cwd: folder },
  ).catch((error: unknown) => error as { readonly stdout: string });
  expect(problems).toMatch(/^wrong\.mts\(\d+,7\): error TS2322: [^\n]*\n$/);
  await writeFile(join(folder, 'x.csv'), 'id,name\n1,one\n2,two\n');
  const db = await createTestDatabase();
  const { stdout } = await run(process.execPath, ['consumer.mjs'], {
    cwd: folder,
    env: { ...environment(), ETL_CONSUMER_URL: db.url },
  });
  expect(JSON.parse(stdout)).toEqual({ inserted: 2, last: 'run-finished' });
  await expectNoLeaks(db.url);
  await db.drop();
});

test('npx etl works inside the checkout, too', async () => {
  await cp(join(root, 'package.json'), join(folder, 'checkout/package.json'));
  for (const name of ['dist', 'node_modules', 'config']) {
    await symlink(join(root, name), join(folder, 'checkout', name));
  }
  const { stdout } = await run('npx', ['etl', '--version'], {
    cwd: join(folder, 'checkout'),
    env: { ...environment(), npm_config_cache: join(folder, 'cache') },
  });
  expect(stdout).toBe(`${version}\n`);
});
