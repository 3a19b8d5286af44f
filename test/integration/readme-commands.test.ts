import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildJob } from '../../src/job/load-job.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { createTestDatabase, expectNoLeaks } from '../support/database.ts';
import { fillHome } from '../support/embedded-process.ts';

/**
 * What the README and the pages that it leads to tell people to type, typed: in a folder that looks
 * like the checkout, with an embedded server of its own. A block below a comment `not run: why` is left
 * out. (docs/serve.md has a test of its own.)
 */
const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const readme = await readFile(join(root, 'README.md'), 'utf8');
const pages = await Promise.all(
  ['checking', 'formats', 'limits', 'load-fields', 'measuring', 'running-again'].map((name) =>
    readFile(join(root, 'docs', `${name}.md`), 'utf8'),
  ),
);
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

interface Block {
  readonly language: string;
  readonly text: string;
  /** Why it is not run, or null. */
  readonly notRun: string | null;
}

const blocks = [
  ...[readme, ...pages]
    .join('\n')
    .matchAll(/(?:<!-- not run: ([^>]*) -->\s*)?```(\w+)\n([^]*?)\n```/g),
].map(([, notRun, language = '', text = '']): Block => ({
  language,
  text,
  notRun: notRun ?? null,
}));
const textsOf = (language: string): string[] =>
  blocks.flatMap((block) =>
    block.language === language && block.notRun === null ? [block.text] : [],
  );
const commands = textsOf('sh').flatMap((text) => text.split('\n'));

let folder = '';
let environment: NodeJS.ProcessEnv = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-readme-'));
  // As root, the embedded server runs as nobody, who has to pass through.
  await chmod(folder, 0o755);
  for (const name of ['config', 'dist', 'examples', 'node_modules', 'package.json']) {
    await symlink(join(root, name), join(folder, name));
  }
  // package.test.ts calls the real npx, which takes longer to start than most of these commands.
  const npx = `#!/bin/sh\n[ "$1" = etl ] || exit 9\nshift\nexec node '${root}dist/src/cli/main.js' "$@"\n`;
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/npx'), npx, { mode: 0o755 });
  environment = {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(?:DATABASE_URL|PG|ETL_|npm_)/.test(name)),
    ),
    PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    ETL_EMBEDDED_DIR: home(),
  };
  await fillHome(home());
});

/** From one command to the next the server goes on, unless the command has stopped it. */
beforeEach(async () => {
  await startEmbedded({ home: home(), mode: 'attached', settings: { fsync: 'off' } });
});

afterAll(async () => {
  await shell('npx etl db stop');
  await rm(folder, { recursive: true });
});

function home(): string {
  return join(folder, 'pg');
}

/** Rejects where the exit code is not 0. */
async function shell(command: string): Promise<string> {
  const options = { cwd: folder, env: environment };
  return (await run('bash', ['-euo', 'pipefail', '-c', command], options)).stdout;
}

describe('the commands', () => {
  test('are there, and those that are not run have a reason', () => {
    expect(commands.length).toBeGreaterThan(7);
    const reasons = blocks.flatMap(({ notRun }) => notRun ?? []);
    expect(reasons).toHaveLength(5);
    for (const reason of reasons) expect(reason.split(' ').length).toBeGreaterThan(5);
  });

  test.each(commands)('%s', async (command) => {
    await shell(command);
  });

  test('npm run demo, which builds before, loads what the README shows', async () => {
    const [build, demo = ''] = manifest.scripts['demo']?.split(' && ') ?? [];
    expect(build).toBe('npm run --silent build');
    const said = await shell(demo);
    expect(said).toContain('Loaded: 3,065,413 rows read in ');
    expect(readme).toContain('Loaded: 3,065,413 rows read in ');
    expect(said).toMatch(/superstore\.parquet +9,994 +0 +0 +9,994 /);
  });
});

describe('the job files', () => {
  test.each(textsOf('json').map((text, index) => [index, text] as const))(
    'number %d is valid',
    (_, text) => {
      const file = { name: 'job.json', folder: '/project', text };
      const job = buildJob({ file, env: {}, overrides: [], cwd: '/' });
      expect(job.loads.length).toBeGreaterThan(0);
    },
  );

  test('are there', () => {
    expect(textsOf('json')).not.toEqual([]);
  });
});

test('the examples of the library compile and load', async () => {
  const [example = '', rows = '', ...others] = textsOf('ts');
  expect(others).toEqual([]);
  await writeFile(join(folder, 'example.mts'), example);
  await writeFile(join(folder, 'rows.mts'), rows);
  const flags = '--strict --module nodenext --target es2023 --types node --skipLibCheck';
  await shell(`node node_modules/typescript/bin/tsc ${flags} example.mts rows.mts`);
  const db = await createTestDatabase();
  environment = { ...environment, DATABASE_URL: db.url };
  const lines = (await shell('node example.mjs')).trimEnd().split('\n');
  expect(lines[0]).toMatch(/^hybrid /);
  expect(lines.filter((line) => /orders\/2026-03-0\d\.csv \d$/.test(line))).toHaveLength(3);
  expect(lines.join('\n')).toContain('inserted: 6');
  expect(await db.query('select count(*)::int as n from orders')).toEqual([{ n: 6 }]);
  expect(await shell('node rows.mjs')).toBe('2 0 0\n');
  await expectNoLeaks(db.url);
  await db.drop();
});
