import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const PROBE_MS_MAX = 30_000;

/** Whether a command runs and succeeds: that is all there is to ask of a peer beforehand. */
export async function succeeds(command: string, ...args: string[]): Promise<boolean> {
  try {
    await promisify(execFile)(command, args, { timeout: PROBE_MS_MAX });
    return true;
  } catch {
    return false;
  }
}

/** The first command that is missing, as a sentence; null where all are here. */
export async function missingCommand(...commands: readonly string[]): Promise<string | null> {
  for (const command of commands) {
    if (!(await succeeds('sh', '-c', 'command -v "$1"', 'sh', command))) {
      return `${command} is not installed`;
    }
  }
  return null;
}
