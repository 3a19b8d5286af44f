import { spawn } from 'node:child_process';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtlError } from '../../src/errors.ts';
import { libpqEnvironment } from './libpq-environment.ts';
import type { PeerJob, PeerUsage } from './peer.ts';

export interface CommandEnd {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  /** Standard output and error, in the order they came; the end of it where it is long. */
  readonly output: string;
  readonly usage: PeerUsage;
}

const GNU_TIME = '/usr/bin/time';
const OUTPUT_CHARACTERS_MAX = 64 * 1024;
const LINE_SHOWN_MAX = 300;
const PEER_SECONDS_MAX = 300;

/**
 * Runs a command against the job's database and measures it with all processes that it starts.
 *
 * Node tells nothing of the CPU of its children, so a shell waits for the command and tells it by
 * `times`, which every POSIX shell has. The memory is asked of GNU time, where there is one.
 */
export async function runMeasured(
  command: readonly string[],
  { databaseUrl, signal }: Pick<PeerJob, 'databaseUrl' | 'signal'>,
): Promise<CommandEnd> {
  return withFolder(async (folder) => {
    const rssFile = join(folder, 'rss');
    const timed = await present(GNU_TIME);
    const words = timed ? [GNU_TIME, '-q', '-f', '%M', '-o', rssFile, ...command] : command;
    const end = await runInShell(words, environmentOf(databaseUrl), signal);
    const rss = timed ? await readFile(rssFile, 'utf8').catch(() => '') : '';
    const usage = { clientCpuMs: childrenCpuMs(end.times), rssPeakBytes: rssBytes(rss) };
    return { exitCode: end.exitCode, output: end.output, usage };
  });
}

/**
 * The same, where anything but success is an error, and taking too long as well: pgloader was seen
 * to wait for ever, idle beside an idle server.
 */
export async function runPeerCommand(
  name: string,
  command: readonly string[],
  { databaseUrl, signal, secondsMax = PEER_SECONDS_MAX }: PeerLimits,
  failed: (end: CommandEnd) => boolean = (end) => end.exitCode !== 0,
): Promise<PeerUsage> {
  const late = AbortSignal.timeout(secondsMax * 1_000);
  const either = signal === undefined ? late : AbortSignal.any([signal, late]);
  const end = await runMeasured(command, { databaseUrl, signal: either });
  signal?.throwIfAborted();
  if (late.aborted && end.exitCode === null) throw peerLate(name, secondsMax);
  if (failed(end)) throw peerFailed(name, end);
  return end.usage;
}

type PeerLimits = Pick<PeerJob, 'databaseUrl' | 'signal' | 'secondsMax'>;

/** A folder that only this user can read, gone at the end. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'etl-peer-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** CPU of the children in milliseconds: the second line of `times`, `0m1.230s 0m0.040s`. */
export function childrenCpuMs(times: string): number | null {
  const line = times.trim().split('\n')[1] ?? '';
  const parts = [...line.matchAll(/(\d+)m([\d.]+)s/g)];
  if (parts.length !== 2) return null;
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1_000,
    0,
  );
}

interface ShellEnd {
  readonly exitCode: number | null;
  readonly output: string;
  readonly times: string;
}

const SHELL = '"$@"; status=$?; times >&3; exit "$status"';

function runInShell(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<ShellEnd> {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that an abort ends whatever the command has started.
    const child = spawn('sh', ['-c', SHELL, 'sh', ...words], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const stop = (): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    signal?.addEventListener('abort', stop);
    if (signal?.aborted === true) stop();
    const kept = ['', ''];
    const keep = (place: number) => (chunk: Buffer) => {
      kept[place] = `${kept[place] ?? ''}${chunk.toString()}`.slice(-OUTPUT_CHARACTERS_MAX);
    };
    child.stdout?.on('data', keep(0));
    child.stderr?.on('data', keep(0));
    child.stdio[3]?.on('data', keep(1));
    child.on('error', reject);
    child.on('close', (exitCode) => {
      signal?.removeEventListener('abort', stop);
      resolve({ exitCode, output: kept[0] ?? '', times: kept[1] ?? '' });
    });
  });
}

/** Messages and numbers in one language, whatever the user's; the data are UTF-8. */
function environmentOf(databaseUrl: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...libpqEnvironment(databaseUrl),
    LC_ALL: 'C',
    PGCLIENTENCODING: 'UTF8',
    PYTHONUTF8: '1',
  };
}

/** GNU time writes kibibytes. */
function rssBytes(text: string): number | null {
  const kibibytes = Number.parseInt(text.trim().split('\n').at(-1) ?? '', 10);
  return Number.isFinite(kibibytes) ? kibibytes * 1_024 : null;
}

function peerLate(name: string, seconds: number): EtlError {
  return new EtlError(
    'ETL_PEER',
    `${name} was stopped after ${seconds} seconds`,
    'The benchmark goes on without this result.',
  );
}

function peerFailed(name: string, { exitCode, output }: CommandEnd): EtlError {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((text) => /\b(ERROR|FATAL)\b/.test(text)) ?? lines.at(-1) ?? '';
  const ended = exitCode === null ? 'was killed' : `ended with exit code ${exitCode}`;
  return new EtlError(
    'ETL_PEER',
    `${name} ${ended}: ${line.trim().slice(0, LINE_SHOWN_MAX) || 'it said nothing'}`,
    'The benchmark goes on without this result.',
  );
}

function present(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
