import { spawn } from 'node:child_process';
import { chmod, chown, open } from 'node:fs/promises';
import { makeFolder } from '../make-folder.ts';

/** Output kept of a command, from its end. */
const OUTPUT_BYTES_MAX = 64 * 1024;

/**
 * The account `nobody`. PostgreSQL refuses to run as root, and creating an account of our own
 * would change the machine. macOS numbers it -2, which spawn wants signed and chown unsigned.
 */
const NOBODY = process.platform === 'darwin' ? -2 : 65534;

const isRoot = process.getuid?.() === 0;

export interface CommandResult {
  /** Null where the command was ended by a signal, or could not be run at all. */
  readonly code: number | null;
  /** Standard output and error together. */
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly input?: string;
}

/**
 * Runs a program of PostgreSQL as the user that the server runs as: ourselves, or nobody for root.
 * Never rejects. The environment is emptied of PGPORT, PGDATA and the like, which would reach the
 * server as settings.
 */
export async function runAsServerUser(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((done) => {
    let output = '';
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: serverEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    // Not spawn's own timeout: its timer stays, and keeps us, where the program cannot be run.
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    const finish = (code: number | null, last = ''): void => {
      clearTimeout(timer);
      done({ code, output: output + last });
    };
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-OUTPUT_BYTES_MAX);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    // A command that ends before it has read its input is judged by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => finish(null, error.message));
    child.on('close', (code) => finish(code));
  });
}

/** What a program said last is why it failed. */
export function lastLines(text: string): string {
  return text.trim().split('\n').slice(-8).join('\n');
}

/** A folder that only the server's user (and root) can enter. */
export async function privateFolder(path: string): Promise<void> {
  await makeFolder(path, 0o700);
  await giveToServerUser(path);
  await chmod(path, 0o700);
}

/** An empty file, or the existing one, that the server's user can append to. */
export async function appendableFile(path: string): Promise<void> {
  const file = await open(path, 'a', 0o600);
  await file.close();
  await giveToServerUser(path);
}

async function giveToServerUser(path: string): Promise<void> {
  if (isRoot) await chown(path, NOBODY >>> 0, NOBODY >>> 0);
}

function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TZ, TMPDIR, LD_LIBRARY_PATH } = process.env;
  const kept = { PATH, TZ, TMPDIR, LD_LIBRARY_PATH };
  const set = Object.entries(kept).filter(([, value]) => value !== undefined);
  // Messages in English, whatever the user's language: they end in our own error sentences.
  return { ...Object.fromEntries(set), LC_ALL: 'C' };
}
