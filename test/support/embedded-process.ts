import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, inject } from 'vitest';
import { type StartOptions, stopEmbedded } from '../../src/embedded/embedded.ts';
import { copyCluster } from './copy-cluster.ts';

const OWNER = fileURLToPath(new URL('./embedded-owner.ts', import.meta.url));
const PROJECT = dirname(dirname(dirname(OWNER)));

/** A server that ends does so within a second; the bound is for a busy machine. */
const LOOKS_MAX = 600;
const LOOK_MS = 100;

/** What embedded-owner.ts prints of its server. */
export interface OwnedServer {
  readonly url: string;
  readonly pid: number;
  readonly startedHere: boolean;
  readonly version: string;
}

/** A running embedded-owner.ts, in a process group of its own. */
export interface Owner {
  readonly process: ChildProcess;
  /** The next line that it prints; rejects where it ends instead, with what it said on stderr. */
  line(): Promise<string>;
  server(): Promise<OwnedServer>;
  say(command: 'release' | 'exit'): void;
  ended(): Promise<void>;
}

export interface OwnerOptions extends StartOptions {
  /** Carry on after SIGINT, as a program does that ends in order. */
  readonly ignoreSigint?: boolean;
}

/** `uid` runs it as another user; only root may ask for that. */
export function startOwner(options: OwnerOptions, uid?: number): Owner {
  const child = spawn(process.execPath, ['--import', 'tsx', OWNER, JSON.stringify(options)], {
    cwd: PROJECT,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = once(child, 'close');
  const line = async (): Promise<string> => {
    const next = await lines.next();
    if (next.done !== true) return next.value;
    await gone;
    throw new Error(`The owner ended: ${errors}`);
  };
  return {
    process: child,
    line,
    server: async () => JSON.parse(await line()) as OwnedServer,
    say: (command) => void child.stdin.write(`${command}\n`),
    ended: () => gone.then(() => undefined),
  };
}

/** A path for a home folder that does not exist yet, where every user may pass. */
export function freshHome(suffix = ''): string {
  return join(tmpdir(), `etl-home-${randomBytes(6).toString('hex')}${suffix}`);
}

/**
 * A home whose data are there already, for a test that is not about the first start of a server:
 * a copy takes a tenth of the time of `initdb`.
 */
export async function readyHome(): Promise<string> {
  const home = freshHome();
  await fillHome(home);
  return home;
}

/** Makes a fresh home a ready one. */
export async function fillHome(home: string): Promise<void> {
  const from = inject('clusterHome');
  // Without one (ETL_TEST_DATABASE_URL), the first start makes the data.
  if (from !== '') await copyCluster(from, home);
}

/** Stops what runs there, expects that nothing is left, and removes the folder. */
export async function removeHome(home: string): Promise<void> {
  await stopEmbedded(home);
  await expectNothingRuns(home);
  await rm(home, { recursive: true, force: true });
}

/** Fails unless every process of this home (server, watchdog, initdb) is gone within the bound. */
export async function expectNothingRuns(home: string): Promise<void> {
  let left = processesNaming(home);
  for (let look = 1; left.length > 0 && look < LOOKS_MAX; look += 1) {
    await sleep(LOOK_MS);
    left = processesNaming(home);
  }
  expect(left).toEqual([]);
}

export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** Processes that name this path on their command line, apart from the tests' own. */
export function processesNaming(path: string): FoundProcess[] {
  return processes().filter(
    ({ command }) => command.includes(path) && !command.includes('embedded-owner'),
  );
}

export async function queryOnce(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function processes(): FoundProcess[] {
  if (process.platform !== 'linux') {
    const text = execFileSync('ps', ['-axww', '-o', 'pid=,command='], { encoding: 'utf8' });
    return text.split('\n').map((line) => {
      const [, pid, command] = /^ *(\d+) (.*)$/.exec(line) ?? [];
      return { pid: Number(pid ?? 0), command: command ?? '' };
    });
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid: Number(pid), command: linuxCommand(pid) }));
}

function linuxCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It ended while we looked.
    return '';
  }
}
