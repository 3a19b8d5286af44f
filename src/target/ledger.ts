import { createHash } from 'node:crypto';
import type { Connection, Row } from './connect.ts';
import { ledgerForm } from './ledger-schema.ts';
import { quoted } from './names.ts';
import type { NamedTable } from './still-named.ts';

/**
 * What identifies a loaded file, and the counts that its merge had. Plain JSON.
 *
 * Whoever puts another file in the place of one may give it its size and its time of modification (rsync
 * -t, cp -p, a restored archive), but not the time at which the system made the change (ctime).
 */
export interface LedgerEntry {
  readonly path: string;
  readonly ordinal: number;
  readonly bytes: number;
  readonly mtimeMs: number;
  /** Of the last change, of the file or of its attributes; absent where nothing is known of it. */
  readonly ctimeMs?: number | undefined;
  /** Where it lies, if it was reached through a link and the table has no key; see same-file.ts. */
  readonly realPath?: string | undefined;
  readonly contentHash: string;
  readonly rowsRead: number;
  readonly rejected: number;
  /** Null where the strategy cannot attribute counts to one file. */
  readonly counts: {
    readonly inserted: number;
    readonly updated: number;
    readonly unchanged: number;
    readonly superseded: number;
    readonly rejected: number;
  } | null;
}

/** What all entries of one load share. */
export interface LedgerContext {
  readonly schema: string;
  readonly runId: string;
  readonly planId: string;
  readonly tableOid: number;
  readonly tableName: string;
  /** The further tables of the load; absent: none. */
  readonly furtherTables?: readonly NamedTable[];
  readonly fingerprint: string;
  readonly strategy: string;
  /** Whether the table is unlogged, so that survivors.ts is to know of the rows. */
  readonly unlogged?: true;
  /** Whether this ledger has a place for `ctimeMs` and `realPath`. */
  readonly origins?: true;
}

/** The tables of the load, the ledger's own first. */
export function tablesIn({ tableOid, tableName, furtherTables = [] }: TablesOfLoad): NamedTable[] {
  return [{ oid: tableOid, name: tableName }, ...furtherTables];
}

type TablesOfLoad = Pick<LedgerContext, 'tableOid' | 'tableName' | 'furtherTables'>;

export interface LoadedFile extends LedgerEntry {
  readonly fingerprint: string;
  readonly runId: string;
  /** ISO 8601. */
  readonly loadedAt: string;
}

/** What the ledger knows of a file without the counts of its merge. */
export type KnownFile = Omit<LoadedFile, 'ordinal' | 'counts'>;

export interface AskedFiles {
  readonly paths: readonly string[];
  /** Only entries of this meaning. */
  readonly fingerprint?: string;
  /** Also entries of files that lie here, by whatever path they were reached. */
  readonly realPaths?: readonly string[];
}

/**
 * The latest entry of each path for this table; none where there is no ledger yet. Of 100,000 of them,
 * all columns as their own types would take twice the time here, and 2 kB each on the way.
 */
export async function loadedFiles(
  connection: Connection,
  schema: string,
  tableOid: number,
  asked: AskedFiles,
): Promise<KnownFile[]> {
  const form = await ledgerForm(connection, schema);
  if (form === null) return [];
  return latestEntries(connection, { schema, tableOid, ...form }, asked);
}

/**
 * The same where the ledger is known to be there, and what it has a place for. With `realPaths` they come in
 * the order in which they were written, which the server's clock need not tell.
 */
export async function latestEntries(
  connection: Connection,
  { schema, tableOid, origins }: Pick<LedgerContext, 'schema' | 'tableOid' | 'origins'>,
  { paths, fingerprint, realPaths }: AskedFiles,
): Promise<KnownFile[]> {
  const params: unknown[] = [tableOid, [...paths]];
  const meaning =
    fingerprint === undefined ? '' : ` and fingerprint = $${params.push(fingerprint)}`;
  const byLinks =
    origins === true && realPaths !== undefined
      ? {
          distinct: 'path, real_path',
          or: ` or real_path = any ($${params.push([...realPaths])}::text[])`,
          // Several of them may be of one file: the one that was written last tells of it.
          inOrder: (latest: string) => `select * from (${latest}) l order by id`,
        }
      : { distinct: 'path', or: '', inOrder: (latest: string) => latest };
  const more = origins === true ? 'ctime_ms, real_path' : 'null as ctime_ms, null as real_path';
  const rows = await connection.query(
    byLinks.inOrder(`select distinct on (${byLinks.distinct}) id, path, fingerprint, run_id, content_hash,
            bytes::float8 as bytes, mtime_ms, ${more},
            rows_read::float8 as rows_read, coalesce(rejected, 0)::float8 as rejected,
            to_char(loaded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as loaded_at
       from ${quoted(schema)}.ledger
      where table_oid = $1 and (path = any ($2::text[])${byLinks.or})${meaning}
      order by ${byLinks.distinct}, id desc`),
    params,
  );
  // Most entries have these in common; each would keep a text of its own.
  const texts = new Map<string, string>();
  const one = (value: unknown): string => {
    const text = String(value);
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
  return rows.map((row) => ({
    path: String(row['path']),
    bytes: Number(row['bytes']),
    mtimeMs: Number(row['mtime_ms']),
    ctimeMs: row['ctime_ms'] === null ? undefined : Number(row['ctime_ms']),
    realPath: (row['real_path'] as string | null) ?? undefined,
    contentHash: String(row['content_hash']),
    rowsRead: Number(row['rows_read']),
    rejected: Number(row['rejected']),
    fingerprint: one(row['fingerprint']),
    runId: one(row['run_id']),
    loadedAt: one(row['loaded_at']),
  }));
}

/** Whether there is any entry of the table. */
export async function hasEntries(
  connection: Connection,
  schema: string,
  tableOid: number,
): Promise<boolean> {
  const [row] = await connection.query(
    `select exists (select from ${quoted(schema)}.ledger where table_oid = $1) as there`,
    [tableOid],
  );
  return row?.['there'] === true;
}

/** Entries of one run: after a connection was lost during COMMIT they say whether it took place. */
export async function entriesOfRun(
  connection: Connection,
  context: LedgerContext,
  paths: readonly string[],
): Promise<LoadedFile[]> {
  const rows = await connection.query(
    `select * from ${quoted(context.schema)}.ledger
      where run_id = $1 and table_oid = $2 and path = any ($3::text[]) order by ordinal`,
    [context.runId, context.tableOid, [...paths]],
  );
  return rows.map(loadedFileOf);
}

function loadedFileOf(row: Row): LoadedFile {
  const count = (name: string): number => Number(row[name]);
  return {
    path: String(row['path']),
    ordinal: count('ordinal'),
    bytes: count('bytes'),
    mtimeMs: count('mtime_ms'),
    contentHash: String(row['content_hash']),
    rowsRead: count('rows_read'),
    rejected: count('rejected'),
    counts:
      row['inserted'] === null
        ? null
        : {
            inserted: count('inserted'),
            updated: count('updated'),
            unchanged: count('unchanged'),
            superseded: count('superseded'),
            rejected: count('rejected'),
          },
    fingerprint: String(row['fingerprint']),
    runId: String(row['run_id']),
    loadedAt: (row['loaded_at'] as Date).toISOString(),
  };
}

/**
 * Whether the run has loaded a file into the table, which is told by the digest of its path; see
 * pathDigest. A run may load into the table several times, each time other files.
 */
export async function hasLoaded(
  connection: Connection,
  { schema, tableOid, runId }: Pick<LedgerContext, 'schema' | 'tableOid' | 'runId'>,
  digest: string,
): Promise<boolean> {
  const ofPath = `left(encode(sha256(convert_to(path, 'UTF8')), 'hex'), ${PATH_DIGITS})`;
  const [row] = await connection.query(
    `select exists (select from ${quoted(schema)}.ledger
                     where run_id = $1 and table_oid = $2 and ${ofPath} = $3) as there`,
    [runId, tableOid, digest],
  );
  return row?.['there'] === true;
}

const PATH_DIGITS = 16;

/** Short enough for the name of a prepared transaction. */
export function pathDigest(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, PATH_DIGITS);
}
