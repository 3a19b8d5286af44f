import type { Connection, Row } from './connect.ts';
import type { KnownCounts } from './known-counts.ts';
import { ledgerVersion } from './ledger-schema.ts';
import { readable } from './names.ts';
import { readRunFilesSql, readRunsSql } from './sql/read-history.ts';

/** A run as the ledger knows it. Null: not known. Plain JSON. */
export interface PastRun {
  readonly runId: string;
  readonly planId: string;
  /** cut-off: it never came to its end, and its session is gone. */
  readonly status: 'running' | 'cut-off' | 'loaded' | 'rejected-rows' | 'failed' | 'interrupted';
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
  /** Until now where it is running. */
  readonly durationMs: number | null;
  readonly host: string;
  readonly pid: number;
  readonly tables: readonly string[];
  readonly files: {
    readonly loaded: number;
    readonly skipped: number | null;
    readonly failed: number | null;
    readonly notLoaded: number | null;
  };
  /** Of the files that are loaded. */
  readonly rows: KnownCounts;
  readonly error: string | null;
}

/** A file of a run. Null: not known, or not attributable to one file. */
export interface PastFile {
  readonly table: string;
  readonly path: string;
  readonly status: 'loaded' | 'failed';
  readonly strategy: string;
  readonly bytes: number | null;
  readonly rows: KnownCounts;
  readonly loadedAt: string | null;
  readonly attempts: number | null;
  /** Milliseconds; of the unit of work that the file was part of. */
  readonly stageMs: number | null;
  readonly waitMs: number | null;
  readonly mergeMs: number | null;
  readonly error: { readonly code: string; readonly sentence: string } | null;
}

export interface HistoryFilter {
  readonly runId: string | null;
  readonly table: { readonly schema: string | null; readonly name: string } | null;
  readonly limit: number;
}

/** The runs of a ledger of whatever version, newest first; none where there is no ledger. */
export async function readRuns(
  connection: Connection,
  schema: string,
  filter: HistoryFilter,
): Promise<PastRun[]> {
  const version = await ledgerVersion(connection, schema);
  if (version === 0) return [];
  const { table } = filter;
  const read = (): Promise<readonly Row[]> =>
    connection.query(readRunsSql(schema, version), [
      filter.runId,
      table === null || table.schema === null ? null : readable(table.schema),
      table === null ? null : readable(table.name),
      filter.limit,
    ]);
  const first = await read();
  const silent = first.filter(isSilent).map((row) => row['run_id']);
  if (silent.length === 0) return first.map((row) => pastRun(row, false));
  // A run that ended between the look at its row and the look at its session is seen ended here.
  const rows = await read();
  return rows.map((row) => pastRun(row, isSilent(row) && silent.includes(row['run_id'])));
}

function isSilent(row: Row): boolean {
  return row['status'] === 'running' && row['alive'] !== true;
}

/** The files that a run loaded or failed on, in order of precedence. */
export async function readRunFiles(
  connection: Connection,
  schema: string,
  runId: string,
  limit: number,
): Promise<PastFile[]> {
  const version = await ledgerVersion(connection, schema);
  if (version === 0) return [];
  const rows = await connection.query(readRunFilesSql(schema, version), [runId, limit]);
  return rows.map(pastFile);
}

function pastRun(row: Row, cutOff: boolean): PastRun {
  const ended = Number(row['loads']) > 0 && row['finished_at'] !== null;
  const prefix = ended ? '' : 'ledger_';
  // A run that retried rejected rows has no entries of its own, and those of an old one may be forgotten.
  const few = ended && Number(row['files_loaded']) > Number(row['ledger_files']);
  return {
    runId: String(row['run_id']),
    planId: String(row['plan_id']),
    status: cutOff ? 'cut-off' : (String(row['status']) as PastRun['status']),
    startedAt: (row['started_at'] as Date).toISOString(),
    finishedAt: dateOrNull(row['finished_at']),
    durationMs: cutOff ? null : numberOrNull(row['duration_ms']),
    host: String(row['host']),
    pid: Number(row['pid']),
    tables: row['tables'] as readonly string[],
    files: {
      loaded: Number(row[few ? 'files_loaded' : 'ledger_files']),
      skipped: numberOrNull(row['files_skipped']),
      failed: numberOrNull(row['files_failed']),
      notLoaded: numberOrNull(row['files_not_loaded']),
    },
    rows: countsOf(row, prefix, row[few ? 'rows_read' : 'ledger_rows_read']),
    error: textOrNull(row['error']),
  };
}

function pastFile(row: Row): PastFile {
  const code = textOrNull(row['error_code']);
  return {
    table: String(row['table_name']),
    path: String(row['path']),
    status: row['status'] === 'failed' ? 'failed' : 'loaded',
    strategy: String(row['strategy']),
    bytes: numberOrNull(row['bytes']),
    rows: countsOf(row, '', row['rows_read']),
    loadedAt: dateOrNull(row['loaded_at']),
    attempts: numberOrNull(row['attempts']),
    stageMs: numberOrNull(row['stage_ms']),
    waitMs: numberOrNull(row['wait_ms']),
    mergeMs: numberOrNull(row['merge_ms']),
    error: code === null ? null : { code, sentence: String(row['error']) },
  };
}

function countsOf(row: Row, prefix: string, rowsRead: unknown): KnownCounts {
  const count = (name: string): number | null => numberOrNull(row[prefix + name]);
  return {
    rowsRead: numberOrNull(rowsRead),
    inserted: count('inserted'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    superseded: count('superseded'),
    rejected: count('rejected'),
  };
}

function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function dateOrNull(value: unknown): string | null {
  return value instanceof Date ? value.toISOString() : null;
}
