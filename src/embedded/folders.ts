import { chmod, lstat, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EtlError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { type Layout, layoutOf } from './layout.ts';
import { appendableFile, privateFolder } from './server-user.ts';

const isRoot = process.getuid?.() === 0;

/** Makes the folders that a server needs before anything can start in them. */
export async function openFolders(home: string): Promise<Layout> {
  try {
    await makeOpenFolder(home);
    const layout = layoutOf(await realpath(home));
    await ownFolder(layout.home);
    if (isRoot) await assertPassable(layout.home);
    if (layout.runDir !== layout.home) await ownFolder(layout.runDir);
    await privateFolder(layout.socketDir);
    await appendableFile(layout.logPath);
    return layout;
  } catch (cause) {
    if (cause instanceof EtlError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EtlError(
      'ETL_EMBEDDED',
      `The folder of the embedded PostgreSQL cannot be made: ${why}.`,
      'Set ETL_EMBEDDED_DIR to a folder that you can write to.',
      { file: home },
      { cause },
    );
  }
}

/** The layout of a home that exists already; null where there is none. */
export async function findFolders(home: string): Promise<Layout | null> {
  try {
    return layoutOf(await realpath(home));
  } catch {
    return null;
  }
}

/** A folder that was there before keeps its mode: it may be the user's own. */
async function makeOpenFolder(path: string): Promise<void> {
  const made = await makeFolder(path);
  // Root's server runs as nobody, who must pass through, without seeing what is in it.
  if (made.length > 0) await chmod(path, isRoot ? 0o711 : 0o700);
}

/**
 * One that belongs to somebody else is refused: root would lock its owner out of a server that
 * runs there, and in /tmp it would be a trap.
 */
async function ownFolder(path: string): Promise<void> {
  await makeOpenFolder(path);
  const found = await lstat(path);
  if (found.isDirectory() && found.uid === process.getuid?.()) return;
  throw new EtlError(
    'ETL_EMBEDDED',
    `The folder ${path} of the embedded PostgreSQL belongs to another user (${found.uid}).`,
    'Run as that user, or set ETL_EMBEDDED_DIR to a folder of your own with a short path.',
  );
}

/** Root's server runs as nobody, who must pass through every folder above its data. */
async function assertPassable(home: string): Promise<void> {
  const OTHERS_PASS = 0o001;
  for (let path = home; path !== dirname(path); path = dirname(path)) {
    if (((await lstat(path)).mode & OTHERS_PASS) !== 0) continue;
    throw new EtlError(
      'ETL_EMBEDDED',
      `As root, the embedded PostgreSQL runs as the user nobody, who may not pass through ${path}.`,
      'Set ETL_EMBEDDED_DIR to a folder that everybody may pass through, or run as another user.',
    );
  }
}
