import { ledgerPath } from '../source/ledger-path.ts';
import type { SourceFile } from '../source/source-file.ts';
import type { AskedFiles } from '../target/ledger.ts';
import type { TargetTable } from '../target/table.ts';
import type { LedgerEntry, PlanContext } from './plan-context.ts';
import { countText } from './figures.ts';
import { refuseRestored } from './refuse-restored.ts';
import { entryOf, knownFiles, liesThere, type KnownFiles } from './same-file.ts';

export interface Skipping {
  /** By path: the ledger entry that says that the file, as it is, is loaded. */
  readonly loaded: ReadonlyMap<string, LedgerEntry>;
  /** By path, of those: the path of the entry, where the file has other times than it, and its content. */
  readonly retimed: ReadonlyMap<string, string>;
  /** By path: the run that loaded it last, as it was then. */
  readonly earlier: ReadonlyMap<string, string>;
  /** By path: where the file lies, if that is elsewhere, and there is a table without a key. */
  readonly realPaths: ReadonlyMap<string, string>;
  readonly notices: readonly string[];
}

/**
 * Which files an earlier run has loaded: the latest entry of the file (see same-file.ts) has the same
 * meaning (fingerprint) and the same bytes. Where the time of modification differs (a copy, a checkout),
 * or that of the last change (a file that was put in its place with the time of the other one, or a change
 * of rights), the content is hashed, which costs a read and saves a load.
 *
 * With `append` it is the latest entry of the same meaning: what a load of another meaning has added
 * since takes nothing away, and to load the file once more would double its rows.
 */
export async function findLoaded(
  files: readonly SourceFile[],
  table: LoadedTable | null,
  { fingerprint, keyed, appends }: LoadMeaning,
  context: FindingContext,
): Promise<Skipping> {
  const realPaths = appends ? await linkedFiles(files, context) : new Map<string, string>();
  const none = { loaded: new Map<string, LedgerEntry>(), retimed: new Map(), realPaths };
  if (table === null || files.length === 0) return { ...none, earlier: new Map(), notices: [] };
  const asked = askedFiles(files, appends ? realPaths : null);
  const entries = await context.catalog.loadedFiles(table.oid, asked);
  const known = knownFiles(entries, appends);
  const earlier = new Map(
    files.flatMap((file) => {
      const entry = entryOf(known, file, realPaths.get(file.path));
      return entry === undefined ? [] : [[file.path, entry.runId]];
    }),
  );
  if (context.force) return { ...none, earlier, notices: [] };
  // Where the table as it is has some of the files, the load of the others was begun, or forced, before.
  if (appends && entries.length === 0) await refuseRestored(table, files, context);
  const lost = new Set(await lostInCrash(table, [...known.byPath.keys()], keyed, context));
  const meant = keyed ? entries : await ofMeaning(fingerprint, entries, table.oid, asked, context);
  const own = lost.size === 0 ? meant : meant.filter(({ path }) => !lost.has(path));
  const found = await unchanged(files, knownFiles(own, appends), fingerprint, realPaths, context);
  const { loaded } = found;
  return {
    ...found,
    earlier,
    realPaths,
    notices: [
      ...crashed(table, [...lost]),
      ...emptied(table, loaded),
      ...(keyed ? arrivedLate(files, loaded) : []),
    ],
  };
}

type FindingContext = Pick<PlanContext, 'catalog' | 'force' | 'hashFiles'> & {
  readonly source: Pick<PlanContext['source'], 'realPaths'>;
};

/** What a load makes of its files. */
export interface LoadMeaning {
  readonly fingerprint: string;
  /** Whether any of its tables has a key. */
  readonly keyed: boolean;
  /** Whether any of them has none. */
  readonly appends: boolean;
}

/** By path; only those that lie elsewhere. What has a name of its own in the ledger lies nowhere. */
async function linkedFiles(
  files: readonly SourceFile[],
  { source }: Pick<FindingContext, 'source'>,
): Promise<Map<string, string>> {
  const paths = files.flatMap(({ path, recordedAs }) => (recordedAs === undefined ? [path] : []));
  const real = await source.realPaths(paths);
  const linked = paths.map((path, place) => [path, real[place] ?? path] as const);
  return new Map(linked.filter(([path, place]) => path !== place));
}

/** `realPaths`: null where the path alone tells. */
function askedFiles(
  files: readonly SourceFile[],
  realPaths: ReadonlyMap<string, string> | null,
): AskedFiles {
  const paths = files.map(ledgerPath);
  if (realPaths === null) return { paths };
  const real = files.map((file) => realPaths.get(file.path) ?? ledgerPath(file));
  return { paths: [...new Set([...paths, ...real])], realPaths: real };
}

type LoadedTable = Pick<TargetTable, 'oid' | 'sqlName' | 'empty' | 'unlogged'>;

/**
 * Paths of files that a crash of the server has taken from an unlogged table. With `append` only while
 * it is empty: what others have brought since may be these very rows.
 */
async function lostInCrash(
  { oid, unlogged, empty }: LoadedTable,
  paths: readonly string[],
  keyed: boolean,
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<readonly string[]> {
  const asks = unlogged === true && paths.length > 0 && (keyed || empty);
  return asks ? catalog.lostPaths(oid, paths) : [];
}

function crashed({ sqlName }: LoadedTable, lost: readonly string[]): string[] {
  if (lost.length === 0) return [];
  return [
    `${sqlName} is unlogged, and a crash of the server emptied it after ${countText(lost.length)} of the files were loaded: they are loaded again.`,
  ];
}

/** The latest entries of this meaning, where that of any of them is another. */
async function ofMeaning(
  fingerprint: string,
  entries: readonly LedgerEntry[],
  tableOid: number,
  asked: AskedFiles,
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<readonly LedgerEntry[]> {
  if (entries.every((entry) => entry.fingerprint === fingerprint)) return entries;
  return catalog.loadedFiles(tableOid, { ...asked, fingerprint });
}

/**
 * Those that are as their entries say, in the order of the files. Only what is in doubt is read. The times
 * of a file that lies elsewhere than its entry says are not noted: it may be in doubt for both places.
 */
async function unchanged(
  files: readonly SourceFile[],
  known: KnownFiles<LedgerEntry>,
  fingerprint: string,
  realPaths: ReadonlyMap<string, string>,
  { hashFiles }: Pick<PlanContext, 'hashFiles'>,
): Promise<Pick<Skipping, 'loaded' | 'retimed'>> {
  const alike = files.flatMap((file) => {
    const realPath = realPaths.get(file.path);
    const entry = entryOf(known, file, realPath);
    if (entry?.fingerprint !== fingerprint || entry.bytes !== file.bytes) return [];
    const isThere = known.byRealPath.size === 0 || liesThere(entry, file, realPath);
    return isThere || sameTime(entry.mtimeMs, file.mtimeMs) ? [{ file, entry, isThere }] : [];
  });
  const inDoubt = alike.filter(({ file, entry, isThere }) => !isThere || mayDiffer(file, entry));
  const hashes = await hashFiles(inDoubt.map(({ file }) => file));
  const changed = new Set(
    inDoubt.flatMap(({ file: { path }, entry }) =>
      hashes.get(path) === entry.contentHash ? [] : [path],
    ),
  );
  const same = alike.filter(({ file }) => !changed.has(file.path));
  const retimed = inDoubt.filter(
    ({ file, isThere }) => isThere && file.recordedAs === undefined && !changed.has(file.path),
  );
  return {
    loaded: new Map(same.map(({ file, entry }) => [file.path, entry])),
    retimed: new Map(retimed.map(({ file, entry }) => [file.path, entry.path])),
  };
}

/**
 * An entry of an older ledger does not tell when the file was changed last; but what was changed after it
 * was loaded, as far as the clocks agree, is in doubt.
 */
function mayDiffer(file: SourceFile, entry: LedgerEntry): boolean {
  if (!sameTime(entry.mtimeMs, file.mtimeMs)) return true;
  if (file.ctimeMs === undefined) return false;
  return entry.ctimeMs === undefined
    ? file.ctimeMs > Date.parse(entry.loadedAt)
    : !sameTime(entry.ctimeMs, file.ctimeMs);
}

/** As far as the coarser of two file systems tells it. */
function sameTime(one: number, other: number): boolean {
  return Math.abs(one - other) < 1;
}

function emptied(table: LoadedTable, loaded: ReadonlyMap<string, LedgerEntry>): string[] {
  const rows = [...loaded.values()].reduce((sum, entry) => sum + entry.rowsRead, 0);
  if (!table.empty || rows === 0) return [];
  return [
    `${table.sqlName} is empty, though ${countText(rows)} rows of ${loaded.size} files were loaded into it: it was emptied since. --force loads them again.`,
  ];
}

/** A file that arrived late is loaded after files that it precedes; only --force restores that. */
function arrivedLate(
  files: readonly SourceFile[],
  loaded: ReadonlyMap<string, LedgerEntry>,
): string[] {
  const lastLoaded = files.findLastIndex((file) => loaded.has(file.path));
  const late = files.slice(0, Math.max(0, lastLoaded)).find((file) => !loaded.has(file.path));
  const last = files[lastLoaded];
  if (late === undefined || last === undefined) return [];
  return [
    `${late.name} comes before ${last.name} in precedence, but ${last.name} is loaded already: where both hold a key, the order of loading decides. --force loads all files in order.`,
  ];
}
