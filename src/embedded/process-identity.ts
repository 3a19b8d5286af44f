import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A process as `<pid>@<start>`, so that a process id that the system has given to another process
 * since is not taken for the old one (in a container, ids come again within seconds). Null where
 * no such process runs; a zombie does not run.
 */
export function processIdentity(pid: number): string | null {
  if (!signalReaches(pid)) return null;
  if (process.platform === 'linux') return linuxIdentity(pid);
  const started = ps(pid, 'lstart=');
  return started === '' ? null : `${pid}@${started}`;
}

/** The command line of a running process, or an empty string. */
export function commandLineOf(pid: number): string {
  if (process.platform !== 'linux') return ps(pid, 'command=');
  return readProc(pid, 'cmdline').replaceAll('\0', ' ');
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Fields of /proc/<pid>/stat behind the name in brackets: the state first, the start 20th. */
function linuxIdentity(pid: number): string | null {
  const stat = readProc(pid, 'stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  if (state === undefined || state === '' || state === 'Z' || state === 'X') return null;
  return `${pid}@${fields[19] ?? ''}`;
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function ps(pid: number, field: string): string {
  const env = { ...process.env, LC_ALL: 'C' };
  const { stdout } = spawnSync('ps', ['-ww', '-o', field, '-p', String(pid)], {
    encoding: 'utf8',
    env,
  });
  return stdout.trim();
}
