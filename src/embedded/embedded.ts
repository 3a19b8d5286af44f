import { readdir, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { assert } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { Binaries } from './binaries.ts';
import { clusterVersion } from './cluster.ts';
import { findFolders, openFolders } from './folders.ts';
import { type Layout, layoutOf } from './layout.ts';
import { runningPostmaster } from './postmaster.ts';
import { readServerRecord } from './server-record.ts';
import type { ServerSettings } from './settings.ts';
import { askWatchdog, closeLink } from './watchdog-link.ts';
import type { StartRequest } from './watchdog-protocol.ts';

/**
 * The embedded PostgreSQL: a real server of the user's own, on a unix socket, in one folder.
 *
 * The folder's watchdog (watchdog.ts) starts and stops it; processes that use it hold a connection
 * to the watchdog. So the server ends with its last user, even one that was killed with -9, and
 * never under another one.
 */
export interface StartOptions {
  /** See embeddedHome. */
  readonly home: string;
  /** `attached`: the server ends with its last user. `standing`: it stays until stopEmbedded. */
  readonly mode: 'attached' | 'standing';
  /** Settings of postgresql.conf, where this call starts the server. */
  readonly settings?: ServerSettings;
  /** Other programs than those of the npm package. */
  readonly binaries?: Binaries;
  /** The home folder is removed with the server (tests, demonstrations). */
  readonly temporary?: boolean;
  readonly signal?: AbortSignal;
}

export interface EmbeddedServer {
  readonly url: string;
  readonly pid: number;
  /** Whether this call started it. */
  readonly startedHere: boolean;
  /** For example 18.4. */
  readonly version: string;
  /**
   * Ends our use. Resolves when the server is down, where we were its last user and it does not
   * stand. May be called again. A process that exits need not call it.
   */
  release(): Promise<void>;
}

export interface EmbeddedStatus {
  readonly state: 'running' | 'stopped' | 'not-initialised';
  readonly home: string;
  readonly dataDir: string;
  readonly logPath: string;
  readonly url: string;
  /** Null unless it runs, as startedAt. */
  readonly pid: number | null;
  readonly startedAt: Date | null;
  /** Whether it stays when nobody uses it. */
  readonly standing: boolean;
  /** The version that runs (18.4), else that of the data (18); null where there is none. */
  readonly version: string | null;
  /** Size of the data folder. */
  readonly bytes: number;
}

/** Throws ETL_EMBEDDED with the last lines of the log where the server does not start. */
export async function startEmbedded(options: StartOptions): Promise<EmbeddedServer> {
  assertPlatform();
  const layout = await openFolders(options.home);
  const standing = await standingServer(layout);
  if (standing !== null) return standing;
  const request: StartRequest = {
    kind: 'start',
    standing: options.mode === 'standing',
    temporary: options.temporary ?? false,
    settings: options.settings ?? {},
    binaries: options.binaries ?? null,
  };
  const { socket, reply } = await askWatchdog(layout, request, options.signal);
  assert(reply.kind === 'running', 'the watchdog answers a start with a server');
  const { pid, startedHere, version } = reply;
  const server = { url: layout.url, pid, startedHere, version };
  if (!request.standing) return { ...server, release: useUntilReleased(layout, request, socket) };
  await closeLink(socket);
  return { ...server, release: async () => undefined };
}

/** Stops the server, standing or in use. False where none runs. */
export async function stopEmbedded(home: string, binaries?: Binaries): Promise<boolean> {
  const layout = await findFolders(home);
  if (layout === null || (await runningPostmaster(layout)) === null) return false;
  const link = await askWatchdog(layout, { kind: 'stop', binaries: binaries ?? null });
  await closeLink(link.socket);
  return true;
}

/** Looks only: starts, stops and creates nothing. */
export async function embeddedStatus(home: string): Promise<EmbeddedStatus> {
  const layout = (await findFolders(home)) ?? layoutOf(resolve(home));
  const running = await runningPostmaster(layout);
  const record = running === null ? null : await readServerRecord(layout);
  const known = record?.pid === running?.pid ? record : null;
  const version = known?.version ?? (await clusterVersion(layout));
  return {
    state: running !== null ? 'running' : version !== null ? 'stopped' : 'not-initialised',
    home: layout.home,
    dataDir: layout.dataDir,
    logPath: layout.logPath,
    url: layout.url,
    pid: running?.pid ?? null,
    startedAt: running?.startedAt ?? null,
    standing: known?.standing ?? false,
    version,
    bytes: await bytesBelow(layout.dataDir),
  };
}

/** A standing server needs no watchdog. */
async function standingServer(layout: Layout): Promise<EmbeddedServer | null> {
  const [running, record] = [await runningPostmaster(layout), await readServerRecord(layout)];
  if (running === null || record?.pid !== running.pid || !record.standing) return null;
  const { pid, version } = record;
  return { url: layout.url, pid, version, startedHere: false, release: async () => undefined };
}

/**
 * Holds the connection to the watchdog without keeping our process alive for it. Where the
 * watchdog is killed, another one takes over, so that the server still ends with us.
 */
function useUntilReleased(
  layout: Layout,
  request: StartRequest,
  first: Socket,
): EmbeddedServer['release'] {
  let socket = first;
  let taking: Promise<void> = Promise.resolve();
  let released: Promise<void> | null = null;
  const hold = (held: Socket): void => {
    socket = held;
    socket.unref();
    socket.once('close', () => {
      if (released === null) taking = takeOver().catch(() => undefined);
    });
  };
  const takeOver = async (): Promise<void> => {
    // A watchdog that was asked to end has stopped the server before.
    if ((await runningPostmaster(layout)) === null) return;
    hold((await askWatchdog(layout, request)).socket);
  };
  hold(first);
  return async () => {
    released ??= taking.then(() => closeLink(socket));
    return released;
  };
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    // The server may remove a file while we look.
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => null);
    bytes += found?.size ?? 0;
  }
  return bytes;
}

function assertPlatform(): void {
  if (process.platform === 'linux' || process.platform === 'darwin') return;
  throw new EtlError(
    'ETL_EMBEDDED',
    `The embedded PostgreSQL does not run on ${process.platform}.`,
    'Name a server of your own by DATABASE_URL.',
  );
}
