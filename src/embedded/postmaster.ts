import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EtlError } from '../errors.ts';
import type { ServerBinaries } from './binaries.ts';
import { type Layout, PORT } from './layout.ts';
import { commandLineOf, processIdentity } from './process-identity.ts';
import { appendableFile, lastLines, runAsServerUser } from './server-user.ts';
import { SETTINGS_FILE, type ServerSettings, settingsText } from './settings.ts';

/** A server that runs on a data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly startedAt: Date;
}

/** Long enough for the recovery after a crash of a large load. */
const START_TIMEOUT_S = 300;
const STOP_TIMEOUT_S = 120;
const LOG_BYTES_MAX = 16 * 1024 * 1024;

/** After a kill -9 of the server its other processes need a moment to notice and leave. */
const STARTS_MAX = 20;
const START_AGAIN_MS = 250;

/** A process id that no system gives: Linux stops at 2^22, macOS at 99,998. */
const NO_PROCESS = 999_999_999;

/** The server on this data folder, or null: a file alone proves nothing, its process must run. */
export async function runningPostmaster(layout: Layout): Promise<Postmaster | null> {
  const file = await readPidFile(layout);
  if (file === null || !isServerOf(layout, file.pid)) return null;
  return file;
}

/** Only where none runs. Throws ETL_EMBEDDED with what the server's log says. */
export async function startPostmaster(
  layout: Layout,
  binaries: ServerBinaries,
  settings: ServerSettings,
): Promise<Postmaster> {
  await disarmPidFiles(layout);
  await writeFile(join(layout.dataDir, SETTINGS_FILE), settingsText(layout, settings));
  await rotateLog(layout);
  const args = ['start', '-D', layout.dataDir, '-l', layout.logPath, '-w'];
  for (let start = 1; ; start += 1) {
    const logStart = (await stat(layout.logPath)).size;
    const result = await runAsServerUser(
      binaries.pg_ctl,
      [...args, '-t', String(START_TIMEOUT_S)],
      { cwd: layout.dataDir, timeoutMs: (START_TIMEOUT_S + 10) * 1000 },
    );
    const running = await runningPostmaster(layout);
    if (result.code === 0 && running !== null) return running;
    const log = await readFrom(layout.logPath, logStart);
    if (log.includes('shared memory block') && start < STARTS_MAX) {
      await sleep(START_AGAIN_MS);
      continue;
    }
    // One that is still at recovery when the time is over would be nobody's.
    if (running !== null) await stopPostmaster(layout, binaries, 'immediate');
    throw startFailure(layout, lastLines(log === '' ? result.output : log));
  }
}

/**
 * `fast` ends sessions and writes a checkpoint; `immediate` leaves the data to be recovered, which
 * is enough where they are thrown away.
 */
export async function stopPostmaster(
  layout: Layout,
  binaries: ServerBinaries,
  mode: 'fast' | 'immediate',
): Promise<void> {
  for (const how of [mode, 'immediate'] as const) {
    if ((await runningPostmaster(layout)) === null) return;
    const args = ['stop', '-D', layout.dataDir, '-m', how, '-w', '-t', String(STOP_TIMEOUT_S)];
    await runAsServerUser(binaries.pg_ctl, args, {
      cwd: layout.dataDir,
      timeoutMs: (STOP_TIMEOUT_S + 10) * 1000,
    });
  }
  const left = await runningPostmaster(layout);
  if (left === null) return;
  throw new EtlError(
    'ETL_EMBEDDED',
    `The embedded PostgreSQL (process ${left.pid}) does not stop.`,
    `See ${layout.logPath}; end the process yourself if need be.`,
  );
}

/** postmaster.pid: the process id, the data folder and the start in seconds since 1970, by line. */
async function readPidFile(layout: Layout): Promise<Postmaster | null> {
  const text = await readFile(pidFileOf(layout), 'utf8').catch(() => '');
  const [pid, , started] = text.split('\n');
  if (!/^\d+$/.test(pid ?? '')) return null;
  return { pid: Number(pid), startedAt: new Date(Number(started ?? 0) * 1000) };
}

function isServerOf(layout: Layout, pid: number): boolean {
  if (processIdentity(pid) === null) return false;
  const command = commandLineOf(pid);
  return command.includes('postgres') && command.includes(layout.dataDir);
}

/**
 * After a crash the file may name a process id that has gone to another program; PostgreSQL then
 * refuses to start. Removing the file would also remove its check for left-over server processes
 * (the shared memory id on the seventh line), so only the process id is made harmless. The lock
 * file beside the socket has no such line and goes.
 */
async function disarmPidFiles(layout: Layout): Promise<void> {
  await rm(join(layout.socketDir, `.s.PGSQL.${PORT}.lock`), { force: true });
  if ((await readPidFile(layout)) === null) return;
  const text = await readFile(pidFileOf(layout), 'utf8');
  await writeFile(pidFileOf(layout), text.replace(/^\d+/, String(NO_PROCESS)));
}

function pidFileOf(layout: Layout): string {
  return join(layout.dataDir, 'postmaster.pid');
}

async function rotateLog(layout: Layout): Promise<void> {
  if ((await stat(layout.logPath)).size < LOG_BYTES_MAX) return;
  await rename(layout.logPath, `${layout.logPath}.1`);
  await appendableFile(layout.logPath);
}

async function readFrom(path: string, start: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(64 * 1024);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function startFailure(layout: Layout, why: string): EtlError {
  return new EtlError(
    'ETL_EMBEDDED',
    `The embedded PostgreSQL in ${layout.home} did not start: ${why}`,
    `The whole log is ${layout.logPath}. Set ETL_EMBEDDED_DIR to another folder to start afresh.`,
  );
}
