import { readdir, readFile } from 'node:fs/promises';
import type { Connection } from '../../src/target/connect.ts';

/** Of one process, as /proc tells it. Times are of user and system together. */
interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  readonly ownMs: number;
  /** Of its children that have ended, and of theirs. */
  readonly endedChildrenMs: number;
}

/** Linux counts in these, whatever the kernel's own clock (USER_HZ). */
const MS_PER_TICK = 10;

/**
 * The process id of the connection's postmaster, where it runs on this machine; else null. Only
 * Linux: the `ps` of macOS forgets what ended backends have used, and most of a load's have ended
 * when one can look.
 */
export async function findPostmaster(connection: Connection): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const [row] = await connection.query('select current_database() as name');
  const title = await readFile(`/proc/${connection.pid}/cmdline`, 'utf8').catch(() => '');
  // Another machine's or container's server would have the number of some other process here.
  if (!title.startsWith('postgres: ') || !title.includes(` ${String(row?.['name'])} `)) return null;
  const backend = await readTimes(connection.pid);
  return backend?.parent ?? null;
}

/** On a server where others come and go all the time, some of them may be missed, or counted twice. */
const LOOKS_MAX = 20;

/**
 * CPU that the server has used since it started: the postmaster and all its processes. What a backend used
 * goes over to the postmaster when it ends, which may be just now, since the load is over: then all are read
 * again. Without that a load's backends were missing in one of some dozens of measurements.
 */
export async function serverCpuMs(postmaster: number, timesOf = readTimes): Promise<number> {
  for (let look = 1; ; look++) {
    const before = await timesOf(postmaster);
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
    const all = await Promise.all(pids.map(timesOf));
    const after = await timesOf(postmaster);
    if (before?.endedChildrenMs !== after?.endedChildrenMs && look < LOOKS_MAX) continue;
    const own = all.flatMap((one) => (one?.parent === postmaster ? [one] : []));
    if (after !== null) own.push(after);
    return own.reduce((sum, { ownMs, endedChildrenMs }) => sum + ownMs + endedChildrenMs, 0);
  }
}

async function readTimes(pid: number): Promise<ProcessTimes | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return text === null ? null : parseTimes(text);
}

/** See proc(5). The second field, the name in brackets, may itself hold spaces and brackets. */
export function parseTimes(stat: string): ProcessTimes {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = (field: number): number => Number(fields[field - 3]);
  return {
    pid: Number.parseInt(stat, 10),
    parent: ticks(4),
    ownMs: (ticks(14) + ticks(15)) * MS_PER_TICK,
    endedChildrenMs: (ticks(16) + ticks(17)) * MS_PER_TICK,
  };
}
