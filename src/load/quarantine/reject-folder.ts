import { createHash, randomUUID } from 'node:crypto';
import { readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cannotWrite, EtlError } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import { makeFolder } from '../../make-folder.ts';
import type { FilePlan } from '../../plan/plan-types.ts';

/** Bytes of a file's name that every file system takes, with room for what is put behind it. */
const NAME_BYTES_MAX = 180;

/**
 * The paths of the reject files of a load, or of those with the rows that lost, by ordinal of the file: the
 * input's own name, and a number behind it where another input has the same. What a name could do to a path
 * is taken out of it, so that none leaves the folder.
 */
export function rejectPaths(
  folder: string,
  files: readonly Pick<FilePlan, 'ordinal' | 'path'>[],
  taken: Set<string> = new Set(),
  kind: 'rejects' | 'superseded' = 'rejects',
): ReadonlyMap<number, string> {
  const paths = new Map<number, string>();
  for (const { ordinal, path } of files) {
    const name = safeName(basename(path));
    let unique = name;
    // Some file systems do not tell case apart.
    for (let count = 2; taken.has(unique.toLowerCase()); count++) unique = `${name}-${count}`;
    taken.add(unique.toLowerCase());
    paths.set(ordinal, join(folder, `${unique}.${kind}.csv`));
  }
  return paths;
}

function safeName(name: string): string {
  const safe = name.replaceAll(/[\p{Cc}\p{Cs}/\\:*?"<>|]/gu, '_').replace(/^\.+/, '_');
  let short = safe;
  while (Buffer.byteLength(short) > NAME_BYTES_MAX) short = short.slice(0, -1);
  return short === '' ? '_' : short;
}

/**
 * Makes the folder, and shows that one can write there: before anything is loaded, since a bad row
 * that cannot be kept must not be lost. Returns the folders that were made, outermost first.
 */
export async function prepareRejectFolder(folder: string): Promise<readonly string[]> {
  try {
    const made = await makeFolder(folder);
    const probe = join(folder, `${SPOOL_MARK}${randomUUID()}`);
    await writeFile(probe, '', { flag: 'wx' });
    await rm(probe);
    return made;
  } catch (error) {
    throw refuseFolder(folder, error);
  }
}

/** Folders that stayed empty go again. */
export async function removeEmptyFolders(made: readonly string[]): Promise<void> {
  for (const folder of made.toReversed()) {
    const removed = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

const SPOOL_MARK = '.etl-spool-';

/**
 * What the spool files of a load begin with. One load at a time works on a table, so what bears the
 * table's name is this load's own, or left by one that is gone. `database`: the server's address and
 * the name of the database.
 */
export function spoolPrefix(folder: string, database: string, tableOid: number): string {
  const where = createHash('sha256').update(database).digest('hex').slice(0, 12);
  return join(folder, `${SPOOL_MARK}${where}-${tableOid}-`);
}

/** Removes the spools of a load, those included that one which was cut off has left. */
export async function removeSpools(prefix: string): Promise<void> {
  await Promise.all((await findSpools(prefix)).map((path) => rm(path, { force: true })));
}

export async function findSpools(prefix: string): Promise<string[]> {
  const folder = dirname(prefix);
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(basename(prefix)))
    .map((name) => join(folder, name));
}

export function refuseFolder(path: string, cause: unknown): EtlError {
  if (cause instanceof EtlError) return cause;
  const advice = remedy`Give ${setting('settings.rejects')} a folder that exists or can be made, with room and the right to write.`;
  return cannotWrite('Rejected rows cannot be written', advice, path, cause);
}
