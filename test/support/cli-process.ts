import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** How a process of the built command ended, and what it said. */
export interface CliEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `etl …` as a process of its own, the leader of a process group of its own. */
export interface CliProcess {
  readonly pid: number;
  /** What it has said so far on both streams. */
  said(): string;
  /** To it alone. False where it has ended. */
  kill(signal: NodeJS.Signals): boolean;
  /** To its whole process group, as Ctrl-C in a terminal goes. */
  killGroup(signal: NodeJS.Signals): void;
  readonly end: Promise<CliEnd>;
}

export interface CliOptions {
  readonly cwd: string;
  /** On top of an environment that names no database and no setting. */
  readonly env?: Readonly<Record<string, string>>;
  /** No file that it writes, or its server writes, may become larger; POSIX counts in 512 bytes. */
  readonly fileBlocksMax?: number;
  /** Where its standard output goes, instead of `said`. */
  readonly stdoutPath?: string;
}

/** Starts the built command (npm test builds it before). */
export function startCli(words: readonly string[], options: CliOptions): CliProcess {
  if (!existsSync(MAIN)) throw new Error('The command is not built: npm run build.');
  const { cwd, env = {}, fileBlocksMax, stdoutPath } = options;
  const command = [process.execPath, MAIN, ...words];
  const limited = ['sh', '-c', `ulimit -f ${fileBlocksMax ?? ''}; exec "$@"`, 'sh', ...command];
  const [program = '', ...args] = fileBlocksMax === undefined ? command : limited;
  const out = stdoutPath === undefined ? 'pipe' : openSync(stdoutPath, 'w');
  const child = spawn(program, args, {
    cwd,
    env: { ...plainEnvironment(), ...env },
    detached: true,
    stdio: ['ignore', out, 'pipe'],
  });
  if (typeof out === 'number') closeSync(out);
  const [stdout, stderr]: [string[], string[]] = [[], []];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => stdout.push(text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  const pid = child.pid ?? 0;
  return {
    pid,
    said: () => stdout.join('') + stderr.join(''),
    kill: (signal) => child.kill(signal),
    killGroup: (signal) => void process.kill(-pid, signal),
    end: once(child, 'close').then(() => ({
      code: child.exitCode,
      signal: child.signalCode,
      stdout: stdout.join(''),
      stderr: stderr.join(''),
    })),
  };
}

export async function runCli(words: readonly string[], options: CliOptions): Promise<CliEnd> {
  return startCli(words, options).end;
}

function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:DATABASE_URL|PG|ETL_|NODE_OPTIONS|npm_)/.test(name),
  );
  return Object.fromEntries([...kept, ['NO_COLOR', '1']]);
}
