import { readdir, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { present } from '../assert.ts';
import { processIdentity } from './process-identity.ts';

const FREE = 'free';

export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes the lock of this path for the current process, or answers null where a running process
 * holds it. A lock whose process has died is free.
 *
 * The lock is a symbolic link `<path>.<n>` that points at its holder's identity: symlink() makes
 * name and content at once and fails where the name exists. It is never removed by the next
 * holder, only outnumbered: whoever finds n free or abandoned makes n + 1, and holds the lock if
 * no higher number is there. Removing an abandoned lock (a mkdir lock, say) would instead let a
 * slow process remove the fresh lock of a quick one that removed the abandoned lock before it.
 */
export async function tryLock(path: string): Promise<Lock | null> {
  const last = await highest(path);
  if (last > 0 && (await isHeld(`${path}.${last}`))) return null;
  const mine = last + 1;
  const name = `${path}.${mine}`;
  try {
    await symlink(present(processIdentity(process.pid), 'the identity of this process'), name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return null;
    throw error;
  }
  if ((await highest(path)) > mine) {
    await removeLink(name);
    return null;
  }
  for (const older of await numbers(path)) {
    if (older < mine) await removeLink(`${path}.${older}`);
  }
  return { release: () => markFree(name) };
}

async function isHeld(name: string): Promise<boolean> {
  const holder = await readlink(name).catch(() => FREE);
  if (holder === FREE) return false;
  return processIdentity(Number.parseInt(holder, 10)) === holder;
}

async function markFree(name: string): Promise<void> {
  await removeLink(`${name}.free`);
  await symlink(FREE, `${name}.free`);
  await rename(`${name}.free`, name);
}

async function highest(path: string): Promise<number> {
  return Math.max(0, ...(await numbers(path)));
}

async function numbers(path: string): Promise<number[]> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path));
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((rest) => /^\d+$/.test(rest))
    .map(Number);
}

async function removeLink(name: string): Promise<void> {
  await unlink(join(name)).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  });
}
