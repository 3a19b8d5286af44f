import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The database that every embedded server has, and its only role. */
export const DATABASE = 'etl';
export const ROLE = 'postgres';

/** Only part of the socket's file name: the server does not listen on TCP. */
export const PORT = 5432;

/**
 * sockaddr_un holds 104 bytes on macOS and 108 on Linux, the closing zero included. A longer path
 * fails in bind() or, worse, is cut.
 */
const SOCKET_PATH_BYTES_MAX = 103;

/** Where everything of one embedded server lies. All paths are absolute. */
export interface Layout {
  /** The real path: two spellings of one folder are one server. */
  readonly home: string;
  /** The home, or where that path is too long for a socket, a short folder elsewhere. */
  readonly runDir: string;
  readonly dataDir: string;
  /** initdb works here; renamed to dataDir when the cluster is complete. */
  readonly newDataDir: string;
  /** Holds the server's socket; only the server's user (and root) gets in. */
  readonly socketDir: string;
  /** The watchdog listens here. */
  readonly controlPath: string;
  readonly logPath: string;
  readonly watchdogLogPath: string;
  readonly watchdogLockPath: string;
  /** See server-record.ts. */
  readonly recordPath: string;
  readonly binariesDir: string;
  /** For node-pg and libpq alike: the host parameter is the socket's folder. */
  readonly url: string;
}

export interface Machine {
  readonly platform: string;
  readonly isRoot: boolean;
  readonly homeDir: string;
}

function thisMachine(): Machine {
  return { platform: process.platform, isRoot: process.getuid?.() === 0, homeDir: homedir() };
}

/**
 * The folder of the embedded server: ETL_EMBEDDED_DIR where it is set, /var/lib/parallel-upsert
 * for root, else the user's own data folder.
 */
export function embeddedHome(
  env: Readonly<Record<string, string | undefined>>,
  machine: Machine = thisMachine(),
): string {
  const asked = env['ETL_EMBEDDED_DIR'];
  if (asked !== undefined && asked !== '') return resolve(asked);
  if (machine.isRoot) return '/var/lib/parallel-upsert';
  if (machine.platform === 'darwin') {
    return join(machine.homeDir, 'Library', 'Application Support', 'parallel-upsert');
  }
  const dataHome = env['XDG_DATA_HOME'];
  const base =
    dataHome === undefined || dataHome === '' ? join(machine.homeDir, '.local/share') : dataHome;
  return resolve(base, 'parallel-upsert');
}

export function layoutOf(home: string): Layout {
  const runDir = runDirOf(home);
  const socketDir = join(runDir, 'socket');
  return {
    home,
    runDir,
    dataDir: join(home, 'data'),
    newDataDir: join(home, 'data.new'),
    socketDir,
    controlPath: join(runDir, 'control'),
    logPath: join(home, 'postgres.log'),
    watchdogLogPath: join(home, 'watchdog.log'),
    watchdogLockPath: join(home, 'watchdog.lock'),
    recordPath: join(home, 'server.json'),
    binariesDir: join(home, 'binaries'),
    url: `postgresql://${ROLE}@/${DATABASE}?host=${encodeURIComponent(socketDir).replaceAll('%2F', '/')}`,
  };
}

/**
 * The home, or a short folder keyed by its hash. Not os.tmpdir(): TMPDIR may differ between two
 * processes that look for one server, and be long itself.
 */
function runDirOf(home: string): string {
  const longest = join(home, 'socket', `.s.PGSQL.${PORT}`);
  if (Buffer.byteLength(longest) <= SOCKET_PATH_BYTES_MAX) return home;
  const key = createHash('sha256').update(home).digest('hex').slice(0, 16);
  return join('/tmp', `etl-${process.getuid?.() ?? 0}-${key}`);
}
