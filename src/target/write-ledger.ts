import { LIMITS } from '../limits.ts';
import { copyLine } from '../source/rows/copy-text.ts';
import type { Connection } from './connect.ts';
import { textCopySql } from './copy-sql.ts';
import { tablesIn, type LedgerContext, type LedgerEntry } from './ledger.ts';
import { quoted } from './names.ts';
import { whileNamed } from './still-named.ts';

/** A column of the ledger that differs from entry to entry; without a value it is null. */
interface EntryColumn {
  readonly name: string;
  readonly type: string;
  readonly valueOf: (entry: LedgerEntry) => string | number | undefined;
}

const ENTRY_COLUMNS: readonly EntryColumn[] = [
  { name: 'path', type: 'text', valueOf: ({ path }) => path },
  { name: 'ordinal', type: 'integer', valueOf: ({ ordinal }) => ordinal },
  { name: 'bytes', type: 'bigint', valueOf: ({ bytes }) => bytes },
  { name: 'mtime_ms', type: 'double precision', valueOf: ({ mtimeMs }) => mtimeMs },
  { name: 'content_hash', type: 'text', valueOf: ({ contentHash }) => contentHash },
  { name: 'rows_read', type: 'bigint', valueOf: ({ rowsRead }) => rowsRead },
  { name: 'inserted', type: 'bigint', valueOf: ({ counts }) => counts?.inserted },
  { name: 'updated', type: 'bigint', valueOf: ({ counts }) => counts?.updated },
  { name: 'unchanged', type: 'bigint', valueOf: ({ counts }) => counts?.unchanged },
  { name: 'superseded', type: 'bigint', valueOf: ({ counts }) => counts?.superseded },
  {
    name: 'rejected',
    type: 'bigint',
    valueOf: ({ counts, rejected }) => (counts === null && rejected === 0 ? undefined : rejected),
  },
];

/** Only where the ledger has a place for them. */
const ORIGIN_COLUMNS: readonly EntryColumn[] = [
  { name: 'ctime_ms', type: 'double precision', valueOf: ({ ctimeMs }) => ctimeMs },
  { name: 'real_path', type: 'text', valueOf: ({ realPath }) => realPath },
];

function entryColumns({ origins }: LedgerContext): readonly EntryColumn[] {
  return origins === true ? [...ENTRY_COLUMNS, ...ORIGIN_COLUMNS] : ENTRY_COLUMNS;
}

/** Columns in which all entries of one load are the same. */
const SHARED_COLUMNS = ['run_id', 'plan_id', 'table_oid', 'table_name', 'fingerprint', 'strategy'];

function sharedValues(context: LedgerContext): string[] {
  const { runId, planId, tableOid, tableName, fingerprint, strategy } = context;
  return [runId, planId, String(tableOid), tableName, fingerprint, strategy];
}

/** Writes the entries inside the transaction that merges their rows: that is what makes it exact. */
export async function writeLedger(
  connection: Connection,
  context: LedgerContext,
  entries: readonly LedgerEntry[],
): Promise<void> {
  const most = LIMITS.recordedFilesPerStatement;
  const parts = Array.from({ length: Math.ceil(entries.length / most) }, (_, place) =>
    entries.slice(place * most, (place + 1) * most),
  );
  await Promise.all(parts.map((part) => insertEntries(connection, context, part)));
}

async function insertEntries(
  connection: Connection,
  context: LedgerContext,
  entries: readonly LedgerEntry[],
): Promise<void> {
  const columns = entryColumns(context);
  const rows = entries.map((entry) =>
    Object.fromEntries(columns.map(({ name, valueOf }) => [name, valueOf(entry)])),
  );
  const schema = quoted(context.schema);
  const insert = `insert into ${schema}.ledger
       (${[...SHARED_COLUMNS, ...columns.map(({ name }) => name)].join(', ')})
     select $1, $2, ${whileNamed('$3::oid', tablesIn(context))}, $4, $5, $6, e.*
       from json_to_recordset($7) as e (${columns.map(({ name, type }) => `${name} ${type}`).join(', ')})
      order by e.ordinal`;
  const sql =
    context.unlogged === true
      ? `with written as (${insert} returning id) insert into ${schema}.survivor select id from written`
      : insert;
  await connection.query(sql, [...sharedValues(context), JSON.stringify(rows)]);
}

/** Entries of one chunk: about 400 kB. */
const CHUNK_ENTRIES = 1_000;

/**
 * The same by one COPY, whose lines are made as they are sent: for very many files, whose entries as
 * JSON would be in memory at once, here and there. Of 100,000 files it takes 1.2 s of CPU of client and
 * server, and 30 MB here; statements of 10,000 entries one after another take 1.4 s and 63 MB, of 1,000
 * entries 1.6 s and 45 MB.
 */
export async function copyLedger(
  connection: Connection,
  context: LedgerContext,
  entries: Iterable<LedgerEntry>,
): Promise<void> {
  const table = `${quoted(context.schema)}.ledger`;
  const columns = entryColumns(context);
  const names = [...SHARED_COLUMNS, ...columns.map(({ name }) => name)];
  const shared = sharedValues(context);
  await connection.copyIn(textCopySql(table, names, null), chunks(columns, shared, entries));
}

async function* chunks(
  columns: readonly EntryColumn[],
  shared: readonly string[],
  entries: Iterable<LedgerEntry>,
): AsyncGenerator<Buffer> {
  const start = copyLine(shared).replace(/\n$/, '\t');
  let lines: string[] = [];
  for (const entry of entries) {
    lines.push(`${start}${copyLine(columns.map(({ valueOf }) => valueOf(entry)))}`);
    if (lines.length < CHUNK_ENTRIES) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
  }
  if (lines.length > 0) yield Buffer.from(lines.join(''));
}
