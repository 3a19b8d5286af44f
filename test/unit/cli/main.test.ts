import { spawn, type StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const door = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

function start(argv: readonly string[], stdio: StdioOptions = 'pipe') {
  return spawn(process.execPath, ['--import', 'tsx', door, ...argv], { stdio });
}

function end(
  child: ReturnType<typeof start>,
): Promise<{ code: number | null; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

test('the process prints, and ends with the exit code', async () => {
  const version = await end(start(['--version']));
  expect(version).toEqual({
    code: 0,
    out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as unknown,
    err: '',
  });
  const refused = await end(start(['run', 'a.csv', '--tabel', 't']));
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('Did you mean "--table"?');
}, 30_000);

test('a reader that has gone does not crash it', async () => {
  const child = start(['run', '--help']);
  child.stdout?.destroy();
  const { code, err } = await end(child);
  expect(err).toBe('');
  expect(code).toBe(0);
}, 30_000);
