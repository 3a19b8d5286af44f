import { ledgerPath } from '../source/ledger-path.ts';
import type { SourceFile } from '../source/source-file.ts';
import type { KnownFile } from '../target/ledger.ts';

/**
 * Which entry of the ledger tells of a file.
 *
 * Where the table has a key, that is the latest of the path as it is spelled. Of a folder that is
 * switched by a link (`releases/current`), what was loaded by that path last is what the table has: a
 * release that is switched back to has to be loaded once more, though its files were loaded before. And a
 * file that comes by another path once more does no harm.
 *
 * Rows without a key would be doubled by it. So there it is first the latest entry of the file that lies in
 * the same place, by whatever path it was reached, and only then that of the path, which must then be
 * alike in all: a folder that was moved, with a link in its place, brings nothing new, and a release whose
 * file is new does. Not the content alone, which two files may well have in common; nor the inode,
 * which several names of one file share (a backup that links what has not changed), and which some
 * network file systems make up again.
 */
export interface KnownFiles<Entry extends FileEntry> {
  readonly byPath: ReadonlyMap<string, Entry>;
  /** Empty where the table has a key. */
  readonly byRealPath: ReadonlyMap<string, Entry>;
}

type FileEntry = Pick<KnownFile, 'path' | 'realPath'>;
type AskedFile = Pick<SourceFile, 'path' | 'recordedAs'>;

/** `entries`: in the order in which they were written. `appends`: whether there is a table without a key. */
export function knownFiles<Entry extends FileEntry>(
  entries: readonly Entry[],
  appends: boolean,
): KnownFiles<Entry> {
  return {
    byPath: latestBy(entries, ({ path }) => path),
    byRealPath: appends ? latestBy(entries, placeOf) : new Map(),
  };
}

function latestBy<Entry extends FileEntry>(
  entries: readonly Entry[],
  nameOf: (entry: Entry) => string,
): Map<string, Entry> {
  return new Map(entries.map((entry) => [nameOf(entry), entry]));
}

/** `realPath`: where that is another than its path. */
export function entryOf<Entry extends FileEntry>(
  { byPath, byRealPath }: KnownFiles<Entry>,
  file: AskedFile,
  realPath: string | undefined,
): Entry | undefined {
  return byRealPath.get(realPath ?? ledgerPath(file)) ?? byPath.get(ledgerPath(file));
}

/** Whether the entry is of a file in the same place. */
export function liesThere(
  entry: FileEntry,
  file: AskedFile,
  realPath: string | undefined,
): boolean {
  return placeOf(entry) === (realPath ?? ledgerPath(file));
}

function placeOf({ path, realPath }: FileEntry): string {
  return realPath ?? path;
}
