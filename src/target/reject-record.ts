import type { Connection, Row } from './connect.ts';
import type { LedgerContext } from './ledger.ts';
import { literal, quoted } from './names.ts';
import { parseRanges, type RecordRange } from './record-ranges.ts';

/** What the ledger keeps of the rows of a file that were rejected. Records are numbered from 1. */
export interface RejectRecord {
  readonly runId: string;
  readonly path: string;
  /** Of its reject file, absolute. */
  readonly rejectsPath: string;
  /** See Quarantine. */
  readonly began: string;
  readonly records: readonly RecordRange[];
  /** Those of them that were corrected and loaded since. */
  readonly corrected: readonly RecordRange[];
}

/**
 * Remembers which rows a load leaves out, before it commits the others: the row counts only where the
 * ledger has the file of the same run, so a try that fails in between leaves nothing that is believed.
 * Where the role may not write it (a ledger made by another one) it is left out: the load is the same,
 * and only corrected rows cannot be loaded in their place.
 */
export async function writeRejectRecord(
  connection: Connection,
  { schema, runId, tableOid }: LedgerContext,
  reject: {
    readonly path: string;
    readonly rejectsPath: string;
    readonly began: string;
    /** See RecordRanges. */
    readonly records: string;
  },
): Promise<void> {
  if (!(await mayUse(connection, schema, ['select', 'insert', 'update']))) return;
  await connection.query(
    `insert into ${quoted(schema)}.reject (run_id, table_oid, path, rejects_path, began, records)
     values ($1, $2, $3, $4, $5, $6::int8multirange)
     on conflict (run_id, table_oid, path) do update
        set rejects_path = excluded.rejects_path, records = excluded.records`,
    [runId, tableOid, reject.path, reject.rejectsPath, reject.began, reject.records],
  );
}

/** Of the files as the ledger has them, by path; null where the ledger does not tell. */
export async function readRejectRecords(
  connection: Connection,
  schema: string,
  tableOid: number,
  loaded: readonly { readonly path: string; readonly runId: string }[],
): Promise<ReadonlyMap<string, RejectRecord> | null> {
  if (!(await mayUse(connection, schema, ['select']))) return null;
  const rows = await connection.query(
    `select r.run_id, r.path, r.rejects_path, r.began, r.records::text, r.corrected::text
       from ${quoted(schema)}.reject r
       join unnest($2::text[], $3::text[]) as l (path, run_id) using (path, run_id)
      where r.table_oid = $1`,
    [tableOid, loaded.map(({ path }) => path), loaded.map(({ runId }) => runId)],
  );
  return new Map(rows.map((row) => [String(row['path']), rejectRecordOf(row)]));
}

/** Forgets what was written by tries that never came to their commit. */
export async function forgetRejects(
  connection: Connection,
  schema: string,
  tableOid: number,
): Promise<void> {
  if (!(await mayUse(connection, schema, ['select', 'delete']))) return;
  const s = quoted(schema);
  await connection.query(
    `delete from ${s}.reject r where table_oid = $1
        and not exists (select from ${s}.ledger l
                         where l.run_id = r.run_id and l.table_oid = r.table_oid and l.path = r.path)`,
    [tableOid],
  );
}

/** The transaction id from which on all ids are given after now, as text. */
export async function readHorizon(connection: Connection): Promise<string> {
  const [row] = await connection.query(
    'select pg_snapshot_xmax(pg_current_snapshot())::text as horizon',
  );
  return String(row?.['horizon']);
}

async function mayUse(
  connection: Connection,
  schema: string,
  rights: readonly string[],
): Promise<boolean> {
  const table = `to_regclass(${literal(`${quoted(schema)}.reject`)})`;
  const each = rights.map((right) => `has_table_privilege(${table}, ${literal(right)})`);
  const [row] = await connection.query(`select coalesce(${each.join(' and ')}, false) as may`);
  return row?.['may'] === true;
}

function rejectRecordOf(row: Row): RejectRecord {
  return {
    runId: String(row['run_id']),
    path: String(row['path']),
    rejectsPath: String(row['rejects_path']),
    began: String(row['began']),
    records: parseRanges(String(row['records'])),
    corrected: parseRanges(String(row['corrected'])),
  };
}
