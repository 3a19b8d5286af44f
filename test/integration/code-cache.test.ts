import { execFile } from 'node:child_process';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** The command as a build has it, in a folder of its own; see src/code-cache.ts. */
const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-code-cache-'));
  for (const name of ['bundle', 'src/cli', 'script']) {
    await cp(join(root, 'dist', name), join(folder, 'dist', name), {
      recursive: true,
      filter: (path) => !path.endsWith('.bin'),
    });
  }
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
});

afterEach(() => rm(folder, { recursive: true }));

async function etl(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const main = join(folder, 'dist/src/cli/main.js');
  const { stdout, stderr } = await run(process.execPath, [main, ...words], {
    env: { PATH: process.env['PATH'], ...env },
  });
  expect(stderr).toBe('');
  return stdout;
}

const script = (): string => join(folder, 'dist/script');

/** What lies beside the script and its map. */
async function kept(): Promise<string[]> {
  const names = await readdir(script());
  return names.filter((name) => !/\.cjs(\.map)?$/.test(name));
}

async function onlyKept(): Promise<string> {
  const names = await kept();
  expect(names).toEqual([expect.stringMatching(/^etl-\w+\.\d+\.bin$/)]);
  return join(script(), names[0] ?? '');
}

/** Whether a start of the command left what is kept as it was, which it does where V8 takes it. */
async function isLeft(path: string, words: readonly string[]): Promise<boolean> {
  const { ino } = await stat(path);
  await etl(words);
  return (await stat(path)).ino === ino;
}

test('the first start keeps the code that V8 compiled, and the next one takes it', async () => {
  const first = await etl(['--version']);
  const path = await onlyKept();
  expect(await isLeft(path, ['--version'])).toBe(true);
  expect(await etl(['--version'])).toBe(first);
});

test('what else is compiled for another command is kept as well, and nothing forgotten', async () => {
  await etl(['--version']);
  const path = await onlyKept();
  const { size } = await stat(path);
  expect(await isLeft(path, ['plan', '--help'])).toBe(false);
  expect((await stat(path)).size).toBeGreaterThan(size);
  expect(await isLeft(path, ['--version'])).toBe(true);
  expect(await isLeft(path, ['plan', '--help'])).toBe(true);
});

test('under other flags of V8 other code is kept', async () => {
  await etl(['--version']);
  const path = await onlyKept();
  await etl(['--version'], { NODE_OPTIONS: '--max-semi-space-size=4' });
  expect(await kept()).toHaveLength(2);
  expect(await isLeft(path, ['--version'])).toBe(true);
});

test.each<[string, (bytes: Buffer) => Buffer]>([
  ['cut off', (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ['empty', () => Buffer.alloc(0)],
  ['of other bytes', (bytes) => bytes.fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 64)],
])('what is kept and %s is not believed, and made anew', async (_, damage) => {
  const words = await etl(['run', '--help']);
  const path = await onlyKept();
  await writeFile(path, damage(await readFile(path)));
  expect(await isLeft(path, ['run', '--help'])).toBe(false);
  expect(await isLeft(path, ['run', '--help'])).toBe(true);
  expect(await etl(['run', '--help'])).toBe(words);
});

test('where nothing can be kept it starts as well, and leaves nothing behind', async () => {
  await etl(['--version']);
  const path = await onlyKept();
  await rm(path);
  // A folder in its place cannot be replaced by a file, not by root either.
  await mkdir(join(path, 'full'), { recursive: true });
  const words = await etl(['--version']);
  expect(words).toMatch(/^\d/);
  expect(await kept()).toHaveLength(1);
});

test('many that start at once each say what they should, and one code is left whole', async () => {
  const said = await Promise.all(Array.from({ length: 6 }, () => etl(['history', '--help'])));
  expect(new Set(said).size).toBe(1);
  expect(await isLeft(await onlyKept(), ['history', '--help'])).toBe(true);
});

test('with --verbose Node loads the script itself, and nothing is kept', async () => {
  await etl(['--help', '--verbose']);
  expect(await kept()).toEqual([]);
});
