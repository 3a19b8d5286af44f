import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { type Socket, createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { doorOf } from '../doors.ts';
import { EtlError } from '../errors.ts';
import type { Layout } from './layout.ts';
import { lastLines } from './server-user.ts';
import {
  type WatchdogReply,
  type WatchdogRequest,
  readLine,
  writeLine,
} from './watchdog-protocol.ts';

const TRIES_MAX = 3_000;
const TRY_MS = 20;

/** One that is killed is replaced; one that cannot even start fails this often. */
const SPAWNS_MAX = 4;

/** An open connection to the watchdog: while it is open we count as a user of the server. */
export interface WatchdogLink {
  readonly socket: Socket;
  readonly reply: WatchdogReply;
}

/**
 * Asks the watchdog of this home, and starts one where none answers. Many processes may do so at
 * the same moment; one watchdog wins and serves them all. Throws ETL_EMBEDDED with what the
 * watchdog said, ETL_ABORTED where the signal came first.
 */
export async function askWatchdog(
  layout: Layout,
  request: WatchdogRequest,
  signal?: AbortSignal,
): Promise<WatchdogLink> {
  let spawned: ChildProcess | null = null;
  let failures = 0;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    throwIfAborted(signal);
    const socket = await connect(layout.controlPath);
    if (socket !== null) {
      const reply = await ask(socket, request, signal);
      if (reply?.kind === 'failed') {
        socket.destroy();
        throw EtlError.fromRecord(reply.error);
      }
      if (reply !== null) return { socket, reply };
      // That watchdog was about to end; the next one will answer.
    } else if (spawned === null || spawned.exitCode !== null || spawned.signalCode !== null) {
      // One that ends with 0 has found another watchdog.
      if (spawned !== null && spawned.exitCode !== 0) failures += 1;
      if (failures === SPAWNS_MAX) break;
      spawned = await spawnWatchdog(layout);
    }
    await sleep(TRY_MS);
  }
  throw await noWatchdog(layout);
}

/** Says that we no longer use the server, and waits until the watchdog has drawn its conclusions. */
export async function closeLink(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((done) => {
    socket.ref();
    socket.once('close', () => done());
    socket.end();
  });
}

async function connect(path: string): Promise<Socket | null> {
  return new Promise((done) => {
    const socket = createConnection(path);
    socket.once('connect', () => done(socket));
    // Later errors are followed by close, which is what everybody here waits for.
    socket.on('error', () => done(null));
  });
}

async function ask(
  socket: Socket,
  request: WatchdogRequest,
  signal?: AbortSignal,
): Promise<WatchdogReply | null> {
  const abort = (): void => void socket.destroy();
  signal?.addEventListener('abort', abort);
  try {
    writeLine(socket, request);
    const reply = await readLine<WatchdogReply>(socket);
    throwIfAborted(signal);
    return reply;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** In a session of its own, so that neither Ctrl-C nor a closed terminal reaches it. */
async function spawnWatchdog(layout: Layout): Promise<ChildProcess> {
  const { url, execArgv } = doorOf('src/embedded/watchdog');
  const log = await open(layout.watchdogLogPath, 'w', 0o600);
  try {
    // Options meant for our process (a debugger's port, say) are not meant for it.
    const env = { ...process.env, NODE_OPTIONS: '' };
    const child = spawn(process.execPath, [...execArgv, fileURLToPath(url), layout.home], {
      cwd: '/',
      env,
      detached: true,
      stdio: ['ignore', 'ignore', log.fd],
    });
    child.unref();
    child.on('error', () => undefined);
    return child;
  } finally {
    await log.close();
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new EtlError('ETL_ABORTED', 'The start of the embedded PostgreSQL was interrupted.', '');
}

async function noWatchdog(layout: Layout): Promise<EtlError> {
  const log = await readFile(layout.watchdogLogPath, 'utf8').catch(() => '');
  return new EtlError(
    'ETL_EMBEDDED',
    `The watchdog of the embedded PostgreSQL in ${layout.home} does not answer: ${lastLines(log)}`,
    'Set ETL_EMBEDDED_DIR to another folder, or name a server of your own by DATABASE_URL.',
  );
}
