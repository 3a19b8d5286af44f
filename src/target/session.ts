import type { Settings } from '../job/schema.ts';
import type { SessionValues } from './apply-session.ts';
import type { ServerDefaults } from './server-defaults.ts';

/** One setting of the sessions that load: what it is, who says so, and why. Plain JSON. */
export interface SessionSetting {
  /** As PostgreSQL calls the parameter. */
  readonly name: string;
  readonly value: string;
  /** server: left as the server, the role or the database has it. */
  readonly from: 'engine' | 'job' | 'server';
  /** A few words. */
  readonly why: string;
}

export interface SessionFacts {
  readonly server: ServerDefaults;
  /** Of the machine that the server runs on; null where that is not known. */
  readonly memoryBytes: number | null;
  /** Workers of the load that has most of them. */
  readonly concurrency: number;
}

/**
 * Settings that are no matter of speed, of every session. The time zone decides what a timestamp
 * without a zone means, so it is fixed for all workers. The order of day and month (DateStyle) stays
 * as the database or the role has it, as people expect of their own server; only the output style is
 * set. Transactions are the engine's own: with `serializable`, which a role may have as its default,
 * owners that read the same staging give each other up again and again.
 */
export function fixedSession(settings: Settings): SessionValues {
  return {
    timezone: settings.timeZone,
    intervalstyle: 'postgres',
    default_transaction_isolation: 'read committed',
    lock_timeout: String(settings.lockTimeoutMs),
    statement_timeout: String(settings.statementTimeoutMs),
    idle_in_transaction_session_timeout: '0',
  };
}

/** A session that loads nothing, for which nothing is chosen: it plans, or compares. */
export function sessionSettings(settings: Settings): SessionValues {
  const reading = { jit: 'off', work_mem: '64MB' };
  return { ...fixedSession(settings), ...reading, ...valuesOf(jobSession(settings)) };
}

const MB = 1024 * 1024;
const WORK_MEM_MIN = 16 * MB;
const WORK_MEM_MAX = 256 * MB;
const MAINTENANCE_MIN = 128 * MB;
const MAINTENANCE_MAX = 256 * MB;

/** Part of the machine's memory that all sorts together may take. */
const MEMORY_SHARE = 8;

/**
 * The settings of speed, chosen for this server; whatever the job says wins. Measured with files of
 * 500,000 rows of 8 columns (44 MB of CSV) on PostgreSQL 15.18, CPU of the backend as a ratio:
 *
 * - work_mem: the sort of a merge spills 49 MB to disk up to 64 MB and nothing from 128 MB on. The
 *   spill costs no CPU where the kernel keeps it (4, 16, 64, 128, 256 MB: 0.99, 0.93, 1, 0.99, 0.91
 *   of an INSERT, 0.91 to 1 of the anti-join for unchanged rows), so it is worth memory that is
 *   there, and none that is not: at most an eighth of it over all workers. A server elsewhere tells
 *   by shared_buffers, which people who tune set to a quarter of its memory.
 * - maintenance_work_mem, for the key of a filled table of 2 million rows: 0.86 s with 256 MB, 1.11 s
 *   with 64 MB (0.92 s with two parallel workers), 0.93 s with 1 GB, which outgrows the caches.
 * - jit off: compiling a merge costs more than it saves; the time goes into the heap and the index.
 *
 * Left as the server has them, since nothing was to be gained:
 *
 * - temp_buffers 1, 8, 64, 128 MB: 1.05, 1, 1.03, 1.02 of staging, sorting and dropping a file.
 * - synchronous_commit: `off` for merges too would save one flush a unit, 1 to 5 ms, where a unit of
 *   a few megabytes takes a second; and what is said to be loaded, file by file, would be so only a
 *   moment later. The commits of staging tables, which need no flush, do without it (staging.ts).
 *   Where the job or the server says off, the last commit of the run flushes (flushingSession), and
 *   a crash takes merges from the last one backwards, each with its row of the ledger.
 * - hash_mem_multiplier 4: 0.99; enable_hashjoin off: 1; a merge sorts whatever is chosen.
 * - max_parallel_workers_per_gather: temporary tables and INSERT … SELECT never run in parallel.
 * - wal_compression pglz 1.46, lz4 1.20 of an update after a checkpoint, and for superusers only.
 * - commit_delay of 1 ms with two workers: 1.1 of the wall time, and for superusers only.
 */
export function chooseSession(settings: Settings, facts: SessionFacts): SessionSetting[] {
  const { server } = facts;
  const chosen: SessionSetting[] = [
    workMem(facts),
    maintenanceWorkMem(facts),
    left('temp_buffers', memoryText(server.tempBuffersBytes), 'more of it gained nothing'),
    left(
      'max_parallel_maintenance_workers',
      String(server.parallelMaintenanceWorkers),
      'for the key of a table that is filled first',
    ),
    left(
      'synchronous_commit',
      server.synchronousCommit,
      isOff(server.synchronousCommit) ? FLUSHED_AT_END : 'what is reported as loaded is on disk',
    ),
    {
      name: 'jit',
      value: 'off',
      from: 'engine',
      why: 'compiling a merge costs more than it saves',
    },
  ];
  const asked = new Map(jobSession(settings).map((setting) => [setting.name, setting]));
  const overridden = chosen.map((setting) => asked.get(setting.name) ?? setting);
  const names = new Set(chosen.map(({ name }) => name));
  return [...overridden, ...[...asked.values()].filter(({ name }) => !names.has(name))];
}

/** Values to be set, by name; what is left to the server is not among them. */
export function valuesOf(settings: readonly SessionSetting[]): SessionValues {
  return Object.fromEntries(
    settings.filter(({ from }) => from !== 'server').map(({ name, value }) => [name, value]),
  );
}

/**
 * For the session that ends a run: its last commit is written to disk, and with it all that were
 * made before, so that a report never says of rows that they are loaded which a crash could take.
 */
export function flushingSession(settings: readonly SessionSetting[]): SessionValues {
  const commit = settings.find(({ name }) => name === 'synchronous_commit');
  return {
    ...valuesOf(settings),
    ...(commit !== undefined && isOff(commit.value) ? { synchronous_commit: 'local' } : {}),
  };
}

const FLUSHED_AT_END = 'written to disk by the last commit, before the report says so';

function jobSession({ session }: Settings): SessionSetting[] {
  return Object.entries(session).map(([name, given]) => {
    const value = typeof given === 'boolean' ? (given ? 'on' : 'off') : String(given);
    const why = name === 'synchronous_commit' && isOff(value) ? FLUSHED_AT_END : 'as the job says';
    return { name, value, from: 'job', why };
  });
}

function workMem({ server, memoryBytes, concurrency }: SessionFacts): SessionSetting {
  const workers = concurrency === 1 ? '1 worker' : `${concurrency} workers`;
  const budget = memoryBytes === null ? server.sharedBuffersBytes : memoryBytes / MEMORY_SHARE;
  const bytes = between(WORK_MEM_MIN, budget / concurrency, WORK_MEM_MAX);
  if (server.workMemBytes >= bytes) {
    return left('work_mem', memoryText(server.workMemBytes), 'more than would be chosen');
  }
  const source =
    memoryBytes === null
      ? `shared_buffers of ${memoryText(server.sharedBuffersBytes)}`
      : `an eighth of the machine's ${memoryText(memoryBytes)}`;
  const why = `${source} over ${workers}, ${limitsText(WORK_MEM_MIN, WORK_MEM_MAX)}`;
  return { name: 'work_mem', value: memoryText(bytes), from: 'engine', why };
}

/** Used by one session at a time: the coordinator's. */
function maintenanceWorkMem({ server, memoryBytes }: SessionFacts): SessionSetting {
  const budget = memoryBytes === null ? server.sharedBuffersBytes : memoryBytes / MEMORY_SHARE;
  const bytes = between(MAINTENANCE_MIN, budget, MAINTENANCE_MAX);
  const name = 'maintenance_work_mem';
  if (server.maintenanceWorkMemBytes >= bytes) {
    return left(name, memoryText(server.maintenanceWorkMemBytes), 'enough for the sort of a key');
  }
  const why = 'for the key of a table that is filled first';
  return { name, value: memoryText(bytes), from: 'engine', why };
}

function left(name: string, value: string, why: string): SessionSetting {
  return { name, value, from: 'server', why };
}

/** PostgreSQL takes any spelling of false for `off`. */
function isOff(value: string): boolean {
  return /^(?:off|false|no|0)$/i.test(value);
}

function between(least: number, bytes: number, most: number): number {
  return Math.max(least, Math.min(most, bytes));
}

function limitsText(least: number, most: number): string {
  return `from ${memoryText(least)} to ${memoryText(most)}`;
}

/** As PostgreSQL writes it: `64MB`, `24GB`, rounded down. */
function memoryText(bytes: number): string {
  if (bytes < MB) return `${Math.floor(bytes / 1024)}kB`;
  const gigabytes = bytes / (1024 * MB);
  if (gigabytes >= 10 || Number.isInteger(gigabytes)) return `${Math.floor(gigabytes)}GB`;
  return `${Math.floor(bytes / MB)}MB`;
}
