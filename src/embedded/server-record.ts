import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Layout } from './layout.ts';

/**
 * What the watchdog wrote about the server that it started or found. Believed only where the
 * server of this process id still runs.
 */
export interface ServerRecord {
  readonly pid: number;
  readonly version: string;
  /** Whether it stays when nobody uses it. */
  readonly standing: boolean;
}

export async function readServerRecord(layout: Layout): Promise<ServerRecord | null> {
  const text = await readFile(layout.recordPath, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as ServerRecord);
}

/** Renamed into place: others read it at any moment. */
export async function writeServerRecord(layout: Layout, record: ServerRecord): Promise<void> {
  const draft = `${layout.recordPath}.new`;
  await writeFile(draft, JSON.stringify(record));
  await rename(draft, layout.recordPath);
}

export async function dropServerRecord(layout: Layout): Promise<void> {
  await rm(layout.recordPath, { force: true });
}
