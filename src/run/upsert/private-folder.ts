import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { processIdentity } from '../../embedded/process-identity.ts';

/** Where each process has looked for what others have left, once. */
const swept = new Set<string>();

/**
 * Makes a folder that only this user can read, named after this process: when it is killed the folder
 * stays, and the next process that spools rows in the same place removes it.
 *
 * @throws what the system says
 */
export async function privateFolder(within: string): Promise<string> {
  if (!swept.has(within)) {
    swept.add(within);
    await removeAbandoned(within);
  }
  const identity = processIdentity(process.pid);
  return mkdtemp(join(within, identity === null ? PREFIX : prefixOf(identity)));
}

const PREFIX = 'etl-rows-';

/** `identity`: of a process of this machine; see processIdentity. */
export function prefixOf(identity: string): string {
  return `${PREFIX}${machine()}-${Number.parseInt(identity, 10)}-${digest(identity)}-`;
}

/**
 * Removes folders of this user whose process is gone. Those of other machines, and of other containers,
 * that write to the same place are left alone: nobody here can tell whether their processes live. What
 * cannot be removed is left, too.
 */
export async function removeAbandoned(within: string): Promise<void> {
  const names = await readdir(within).catch(() => []);
  for (const name of names.filter(isAbandoned)) {
    const folder = join(within, name);
    try {
      const stats = await lstat(folder);
      const mine = process.getuid === undefined || stats.uid === process.getuid();
      if (mine && stats.isDirectory()) await rm(folder, { recursive: true, force: true });
    } catch {
      // It has gone meanwhile, or is none of ours.
    }
  }
}

function isAbandoned(name: string): boolean {
  const [, where, pid = '', start] =
    /^etl-rows-([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-\w{6}$/.exec(name) ?? [];
  if (where === undefined || where !== machine()) return false;
  const running = processIdentity(Number(pid));
  return running === null || digest(running) !== start;
}

/** Where process ids mean the same processes: a host, and a container on it. */
function machine(): string {
  let container = '';
  try {
    container = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not every system has it.
  }
  return digest(`${hostname()} ${container}`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
