import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLock } from '../embedded/lock.ts';
import { EtlError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';

/** The folder that keeps what was accepted until it is loaded. */
export interface Spool {
  readonly journalPath: string;
  /** Where the files of uploads lie. */
  readonly filesFolder: string;
  readonly pathOf: (base: string) => string;
  /** A new file, for its owner alone. */
  create(base: string): Promise<FileHandle>;
  remove(bases: readonly string[]): Promise<void>;
  /** Removes what is not kept: bodies that were cut off, and what was loaded before a crash. */
  sweep(kept: ReadonlySet<string>): Promise<void>;
  /** Makes the names of new files durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the folder, makes it where it is missing, and holds it: two services would load the same
 * files and remove each other's.
 *
 * @throws EtlError ETL_USAGE where it cannot be written, or another service holds it
 */
export async function openSpool(folder: string): Promise<Spool> {
  const filesFolder = join(folder, 'files');
  const lock = await makeFolder(filesFolder, 0o700)
    .then(() => tryLock(join(folder, 'lock')))
    .catch((error: unknown) => {
      throw unusable(folder, error);
    });
  if (lock === null) {
    throw new EtlError(
      'ETL_USAGE',
      'Another etl serve uses the spool folder.',
      'Stop it, or give each service a folder of its own with --spool.',
      { file: folder },
    );
  }
  const handle = await open(filesFolder, 'r');
  const pathOf = (base: string): string => join(filesFolder, base);
  const remove = async (bases: readonly string[]): Promise<void> => {
    for (const base of bases) await unlink(pathOf(base)).catch(unlessGone);
  };
  return {
    journalPath: join(folder, 'journal.jsonl'),
    filesFolder,
    pathOf,
    create: (base) => open(pathOf(base), 'wx', 0o600),
    remove,
    sweep: async (kept) => remove((await readdir(filesFolder)).filter((base) => !kept.has(base))),
    sync: () => handle.sync(),
    close: async () => {
      await handle.close();
      await lock.release();
    },
  };
}

function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function unusable(folder: string, cause: unknown): EtlError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new EtlError(
    'ETL_USAGE',
    `The spool folder cannot be used${reason}.`,
    'Give --spool a folder that exists or can be made, with room and the right to write.',
    { file: folder },
    { cause },
  );
}
