import { existsSync, lstatSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { present } from '../assert.ts';
import type { Settings } from '../job/schema.ts';
import { LIMITS } from '../limits.ts';
import type { Connection } from '../target/connect.ts';
import { ledgerVersion } from '../target/ledger-schema.ts';
import { parseTableName, readable } from '../target/names.ts';
import {
  forgetEntries,
  forgetRuns,
  knownTables,
  momentBefore,
  oldEntries,
  oldRuns,
  oldSpan,
  type KnownTable,
  type OldEntry,
} from '../target/prune-ledger.ts';
import { LOADS_SINCE } from '../target/sql/read-history.ts';
import { tableOf } from './history.ts';
import { withReader, withWriter } from './reader.ts';

/** What `etl history --prune` did, or with `dryRun` would do. Plain JSON. */
export interface Pruned {
  readonly version: 1;
  readonly ledgerSchema: string;
  readonly dryRun: boolean;
  /** ISO 8601, UTC: what is older was looked at. */
  readonly before: string;
  /** Entries of files that are forgotten, by why. */
  readonly forgotten: {
    /** A later load of the same file says the same. */
    readonly replaced: number;
    /** The file is gone. */
    readonly gone: number;
    /** The table is gone. */
    readonly tableGone: number;
  };
  /** Older entries that stay, but for those of the last run of a table. */
  readonly kept: {
    /** The file is there, so that a run would load it again. */
    readonly there: number;
    /** Whether the file is gone cannot be told from here. */
    readonly unseen: number;
    /** The last one of those whose files are gone, of each table and way to load it. */
    readonly last: number;
  };
  readonly runs: number;
  /** Tables none of whose files is seen from here. */
  readonly unseenTables: readonly string[];
}

export interface PruneRequest {
  readonly databaseUrl: string;
  readonly settings: Settings;
  readonly days: number;
  /** Only what was loaded into this table; null: all. */
  readonly table: string | null;
  readonly dryRun: boolean;
  /** Whether the word of whoever asks is taken that files which are not seen are gone. */
  readonly alsoUnseen: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Forgets what is old and of no use any more. What an entry is for is that its file is not loaded again;
 * so it goes only where the file is gone, or a later entry says the same. That a file is gone can be told
 * only by who would see it: so of a table of whose latest files not one is seen (another machine, a volume
 * that is not mounted) all that are missing stay.
 *
 * Of those that go, the last of each table and way to load it stays: corrected rows of other files may
 * have to lose to rows that came with them, and are refused as long as the ledger tells of one such
 * file; see loaded-places.ts.
 *
 * @throws EtlError ETL_PRIVILEGE, ETL_USAGE
 */
export async function prune(request: PruneRequest): Promise<Pruned> {
  const named = tableOf(request.table);
  const open = request.dryRun ? withReader : withWriter;
  return open(request, 'etl history', async (connection) => {
    const schema = request.settings.ledgerSchema;
    const before = await momentBefore(connection, request.days);
    const version = await ledgerVersion(connection, schema);
    const pruning = pruningOf(request, before);
    if (version === 0) return pruning.result([], 0);
    const all = await knownTables(connection, schema, LIMITS.pruneLooksMax);
    const tables = all.filter(({ name }) => named === null || isNamed(name, named));
    const byOid = new Map(tables.map((table) => [table.oid, table]));
    const span = await oldSpan(connection, schema, before);
    const step = LIMITS.recordedFilesPerStatement;
    for (let from = span?.from ?? 0; from < (span?.to ?? 0); from += step) {
      request.signal?.throwIfAborted();
      const old = await oldEntries(connection, schema, tables, { before, from, to: from + step });
      const ids = old.flatMap((entry) =>
        pruning.take(entry, present(byOid.get(entry.tableOid), 'the table of an entry')),
      );
      if (ids.length > 0 && !request.dryRun) await forgetEntries(connection, schema, ids);
    }
    const runs =
      named === null ? await pruneRuns(connection, request, pruning, { before, version }) : 0;
    return pruning.result(tables, runs);
  });
}

function isNamed(name: string, asked: NonNullable<ReturnType<typeof tableOf>>): boolean {
  const known = parseTableName(name);
  return known?.name === asked.name && (asked.schema === null || known.schema === asked.schema);
}

type Pruning = ReturnType<typeof pruningOf>;

/** Judges entry by entry, from the oldest on, and counts. */
function pruningOf({ settings, dryRun, alsoUnseen }: PruneRequest, before: string) {
  const forgotten = { replaced: 0, gone: 0, tableGone: 0 };
  const kept = { there: 0, unseen: 0 };
  /** By table and way to load it: the last entry so far whose file is gone. */
  const last = new Map<string, OldEntry>();
  const seen = new Map<number, boolean>();
  /** By run: how many of its entries go. */
  const ofRun = new Map<string, number>();
  const forget = (entry: OldEntry, why: keyof typeof forgotten): number[] => {
    forgotten[why] += 1;
    ofRun.set(entry.runId, (ofRun.get(entry.runId) ?? 0) + 1);
    return [entry.id];
  };
  const isSeen = (table: KnownTable): boolean => {
    const known =
      seen.get(table.oid) ?? table.latestPaths.some((path) => isAbsolute(path) && existsSync(path));
    seen.set(table.oid, known);
    return known;
  };
  return {
    ofRun,
    /** Ids of the entries that can be forgotten, now that this one is known. */
    take(entry: OldEntry, table: KnownTable): number[] {
      if (entry.replaced) return forget(entry, 'replaced');
      if (!table.there && table.namesake === null) return forget(entry, 'tableGone');
      if (isThere(entry.path)) {
        kept.there += 1;
        return [];
      }
      // Of rows in memory, which have but a name, there was no file to be seen.
      if (isAbsolute(entry.path) && !alsoUnseen && !isSeen(table)) {
        kept.unseen += 1;
        return [];
      }
      const way = `${entry.tableOid} ${entry.fingerprint}`;
      const earlier = last.get(way);
      last.set(way, entry);
      return earlier === undefined ? [] : forget(earlier, 'gone');
    },
    result(tables: readonly KnownTable[], runs: number): Pruned {
      const unseen = tables.filter(({ oid }) => seen.get(oid) === false);
      return {
        version: 1,
        ledgerSchema: readable(settings.ledgerSchema),
        ...{ dryRun, before, forgotten, runs },
        kept: { ...kept, last: last.size },
        unseenTables: unseen.map(({ name }) => name),
      };
    },
  };
}

/** What cannot be looked at, for lack of a right or of an answer, is not taken for gone. */
function isThere(path: string): boolean {
  if (!isAbsolute(path)) return false;
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

/** Runs of which no entry is left, and how the files of all old ones fared; resolves to how many runs. */
async function pruneRuns(
  connection: Connection,
  { settings, dryRun }: PruneRequest,
  { ofRun }: Pick<Pruning, 'ofRun'>,
  { before, version }: { readonly before: string; readonly version: number },
): Promise<number> {
  const { ledgerSchema: schema } = settings;
  const old = await oldRuns(connection, schema, before);
  const gone = (runId: string): number => (dryRun ? (ofRun.get(runId) ?? 0) : 0);
  const empty = old.filter(({ runId, entries }) => entries === gone(runId));
  if (!dryRun) {
    const ids = old.map(({ runId }) => runId);
    const emptied = empty.map(({ runId }) => runId);
    await forgetRuns(connection, schema, ids, emptied, version >= LOADS_SINCE);
  }
  return empty.length;
}
