import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { commandLineOf, processIdentity } from '../../../src/embedded/process-identity.ts';

test('a process keeps its identity until it ends', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const identity = processIdentity(pid);
  expect(identity).toMatch(new RegExp(`^${pid}@.+`));
  expect(processIdentity(pid)).toBe(identity);
  expect(commandLineOf(pid)).toContain('setInterval');
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(processIdentity(pid)).toBeNull();
  expect(commandLineOf(pid)).toBe('');
});

test("somebody else's process has an identity too", () => {
  expect(processIdentity(1)).toMatch(/^1@.+/);
});

test('a process id that no system gives has none', () => {
  expect(processIdentity(999_999_999)).toBeNull();
});
