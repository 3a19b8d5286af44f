import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Lock, tryLock } from '../../../src/embedded/lock.ts';
import { processIdentity } from '../../../src/embedded/process-identity.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-lock-'));
  path = join(folder, 'a.lock');
});
afterEach(() => rm(folder, { recursive: true }));

test('one holder at a time, free again when released', async () => {
  const first = await tryLock(path);
  expect(first).not.toBeNull();
  expect(await tryLock(path)).toBeNull();
  await first?.release();
  const second = await tryLock(path);
  expect(second).not.toBeNull();
  expect(await tryLock(path)).toBeNull();
});

test('of many that try at once, exactly one holds it, free or abandoned', async () => {
  await symlink('999999999@1', `${path}.7`);
  for (let round = 0; round < 20; round += 1) {
    const tries = await Promise.all(Array.from({ length: 8 }, () => tryLock(path)));
    const held = tries.filter((lock): lock is Lock => lock !== null);
    expect(held).toHaveLength(1);
    await held[0]?.release();
  }
});

test('a process id that has gone to another process does not hold the lock', async () => {
  // Our own process id, with the start of another process.
  await symlink(`${process.pid}@0`, `${path}.1`);
  expect(await tryLock(path)).not.toBeNull();
});

test('the lock of a process that was killed is free', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  await symlink(processIdentity(child.pid ?? 0) ?? '', `${path}.1`);
  expect(await tryLock(path)).toBeNull();
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(await tryLock(path)).not.toBeNull();
});

test('old links do not pile up', async () => {
  for (let round = 0; round < 5; round += 1) await (await tryLock(path))?.release();
  expect(await readdir(folder)).toEqual(['a.lock.5']);
});
