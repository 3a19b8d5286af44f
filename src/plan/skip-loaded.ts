import { ledgerPath } from '../source/ledger-path.ts';
import type { SourceFile } from '../source/source-file.ts';
import type { TargetTable } from '../target/table.ts';
import type { LedgerEntry, PlanContext } from './plan-context.ts';
import { mapBounded } from './map-bounded.ts';
import { countText } from './figures.ts';
import { refuseRestored } from './refuse-restored.ts';

export interface Skipping {
  /** By path: the ledger entry that says that the file, as it is, is loaded. */
  readonly loaded: ReadonlyMap<string, LedgerEntry>;
  /** By path: the run that loaded it last, as it was then. */
  readonly earlier: ReadonlyMap<string, string>;
  readonly notices: readonly string[];
}

const HASHES_AT_ONCE = 4;

/**
 * Which files an earlier run has loaded: the latest entry of the path has the same meaning
 * (fingerprint) and the same bytes. Where only the time of modification differs (a copy, a
 * checkout), the content is hashed, which costs a read and saves a load.
 *
 * With `append` it is the latest entry of the same meaning: what a load of another meaning has added
 * since takes nothing away, and to load the file once more would double its rows.
 */
export async function findLoaded(
  files: readonly SourceFile[],
  table: LoadedTable | null,
  { fingerprint, keyed }: { readonly fingerprint: string; readonly keyed: boolean },
  context: Pick<PlanContext, 'catalog' | 'force' | 'hashFile'>,
): Promise<Skipping> {
  if (table === null || files.length === 0) {
    return { loaded: new Map(), earlier: new Map(), notices: [] };
  }
  const entries = latestByPath(await context.catalog.loadedFiles(table.oid, files.map(ledgerPath)));
  const earlier = new Map(
    files.flatMap((file) => {
      const entry = entries.get(ledgerPath(file));
      return entry === undefined ? [] : [[file.path, entry.runId]];
    }),
  );
  if (context.force) return { loaded: new Map(), earlier, notices: [] };
  // Where the table as it is has some of the files, the load of the others was begun, or forced, before.
  if (!keyed && entries.size === 0) await refuseRestored(table, files, context);
  const lost = await lostInCrash(table, [...entries.keys()], keyed, context);
  for (const path of lost) entries.delete(path);
  const own = keyed ? entries : await ofMeaning(fingerprint, entries, table.oid, context);
  const loaded = await unchanged(files, own, fingerprint, context);
  return {
    loaded,
    earlier,
    notices: [
      ...crashed(table, lost),
      ...emptied(table, loaded),
      ...(keyed ? arrivedLate(files, loaded) : []),
    ],
  };
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

/** The entries; in the place of one of another meaning the latest of this one, where there is any. */
async function ofMeaning(
  fingerprint: string,
  entries: ReadonlyMap<string, LedgerEntry>,
  tableOid: number,
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<Map<string, LedgerEntry>> {
  const others = [...entries.values()].filter((entry) => entry.fingerprint !== fingerprint);
  const paths = others.map(({ path }) => path);
  if (paths.length === 0) return new Map(entries);
  const own = latestByPath(await catalog.loadedFiles(tableOid, paths, fingerprint));
  return new Map([...entries, ...own]);
}

function latestByPath(entries: readonly LedgerEntry[]): Map<string, LedgerEntry> {
  const latest = new Map<string, LedgerEntry>();
  for (const entry of entries) {
    const known = latest.get(entry.path);
    if (known === undefined || known.loadedAt < entry.loadedAt) latest.set(entry.path, entry);
  }
  return latest;
}

/** Those that are as their entries say, in the order of the files. Only what is in doubt is read. */
async function unchanged(
  files: readonly SourceFile[],
  entries: ReadonlyMap<string, LedgerEntry>,
  fingerprint: string,
  { hashFile }: Pick<PlanContext, 'hashFile'>,
): Promise<Map<string, LedgerEntry>> {
  const alike = files.flatMap((file) => {
    const entry = entries.get(ledgerPath(file));
    const isAlike = entry?.fingerprint === fingerprint && entry.bytes === file.bytes;
    return isAlike ? [{ file, entry }] : [];
  });
  const inDoubt = alike.filter(({ file, entry }) => Math.abs(entry.mtimeMs - file.mtimeMs) >= 1);
  const others = await mapBounded(inDoubt, HASHES_AT_ONCE, async ({ file, entry }) =>
    (await hashFile(file.path)) === entry.contentHash ? [] : [file.path],
  );
  const changed = new Set(others.flat());
  return new Map(
    alike.flatMap(({ file: { path }, entry }) => (changed.has(path) ? [] : [[path, entry]])),
  );
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
