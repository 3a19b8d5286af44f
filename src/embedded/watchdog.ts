import { chmod, rm } from 'node:fs/promises';
import { type Server, type Socket, createConnection, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { present } from '../assert.ts';
import { errorRecordOf } from '../errors.ts';
import { openFolders } from './folders.ts';
import type { Layout } from './layout.ts';
import { type Lock, tryLock } from './lock.ts';
import { ServerKeeper } from './server-keeper.ts';
import { type WatchdogRequest, readLine, writeLine } from './watchdog-protocol.ts';

/**
 * The watchdog: a process of its own, in a session of its own (Ctrl-C does not reach it), one per
 * home folder. It alone starts and stops the server there, one step after another, for all who
 * ask over its socket. A connection is a user: the kernel closes it when the user's process ends,
 * however it ends, kill -9 included.
 *
 *     waiting ── request ──► serving ── last user leaves ──► ending ──► gone
 *        └── nobody comes for 5 s ─────────────────────────────┘  └── a new user: serving
 *
 * Ending stops the server, unless it shall stand. A user who leaves last has its connection closed
 * only when the server is down, so release() can wait for that.
 */

/** Whoever spawned us may have died since. */
const FIRST_USER_MS = 5_000;

/** A watchdog that is about to end holds the lock while it stops its server. */
const LOCK_TRIES_MAX = 3_000;
const LOCK_TRY_MS = 50;

async function main(home: string): Promise<void> {
  const layout = await openFolders(home);
  const lock = await lockOrOther(layout);
  if (lock === null) return;
  const server = createServer({ allowHalfOpen: true });
  const keeper = new ServerKeeper(layout);
  const state: State = { layout, lock, server, keeper, users: new Set(), work: Promise.resolve() };
  server.on('connection', (socket) => welcome(state, socket));
  await listen(server, layout);
  setTimeout(() => enqueue(state, () => endIfUnused(state)), FIRST_USER_MS).unref();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => enqueue(state, () => end(state)));
  }
}

interface State {
  readonly layout: Layout;
  readonly lock: Lock;
  readonly server: Server;
  readonly keeper: ServerKeeper;
  readonly users: Set<Socket>;
  /** The steps asked for so far; each begins when the one before has ended. */
  work: Promise<void>;
}

/** Null where another watchdog answers: then this one is not needed. */
async function lockOrOther(layout: Layout): Promise<Lock | null> {
  for (let tries = 0; tries < LOCK_TRIES_MAX; tries += 1) {
    const lock = await tryLock(layout.watchdogLockPath);
    if (lock !== null) return lock;
    if (await answers(layout.controlPath)) return null;
    await sleep(LOCK_TRY_MS);
  }
  return null;
}

async function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path);
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => {
      done(false);
    });
  });
}

async function listen(server: Server, layout: Layout): Promise<void> {
  // Left by a watchdog that was killed; the lock says that it is gone.
  await rm(layout.controlPath, { force: true });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(layout.controlPath, done);
  });
  await chmod(layout.controlPath, 0o600);
}

function welcome(state: State, socket: Socket): void {
  state.users.add(socket);
  const leave = (): void => {
    if (!state.users.delete(socket)) return;
    enqueue(state, async () => {
      await endIfUnused(state);
      socket.end();
    });
  };
  socket.on('end', leave);
  socket.on('close', leave);
  socket.on('error', leave);
  void readLine<WatchdogRequest>(socket).then((request) => {
    if (request === null) return;
    enqueue(state, async () => {
      // It may have left while its request waited.
      if (!state.users.has(socket)) return;
      writeLine(socket, await state.keeper.serve(request));
    });
  });
}

/** One step at a time, so that a start never meets a stop. */
function enqueue(state: State, step: () => Promise<void>): void {
  state.work = state.work.then(step).catch((error: unknown) => {
    process.stderr.write(`${errorRecordOf(error).sentence}\n`);
  });
}

async function endIfUnused(state: State): Promise<void> {
  if (state.users.size > 0) return;
  await letGo(state);
  // Whoever came in the meantime finds its request served by the next step.
  if (state.users.size === 0) await close(state);
}

/** The system goes down, or somebody ends the watchdog: the server must not be left without one. */
async function end(state: State): Promise<void> {
  await letGo(state);
  for (const user of state.users) user.destroy();
  await close(state);
}

/** A server that cannot be stopped must not keep those waiting who have left. */
async function letGo(state: State): Promise<void> {
  await state.keeper.letGo().catch((error: unknown) => {
    process.stderr.write(`${errorRecordOf(error).sentence}\n`);
  });
}

/** Nothing keeps the process alive after this, except sockets that are still to be closed. */
async function close(state: State): Promise<void> {
  if (!state.server.listening) return;
  state.server.close();
  if (state.keeper.temporary) {
    await rm(state.layout.home, { recursive: true, force: true });
    await rm(state.layout.runDir, { recursive: true, force: true });
  } else {
    await state.lock.release();
  }
}

try {
  await main(present(process.argv[2], 'the home folder'));
} catch (error) {
  process.stderr.write(`${errorRecordOf(error).sentence}\n`);
  process.exitCode = 1;
}
