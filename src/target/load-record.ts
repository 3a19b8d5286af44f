import type { ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Connection } from './connect.ts';
import type { Counts } from './counts.ts';
import { quoted } from './names.ts';
import { inTransaction } from './transaction.ts';

/** How a load ended, as `etl history` shows it. Plain JSON. */
export interface LoadRecord {
  readonly runId: string;
  /** Place of the load in its job, from 0. */
  readonly ordinal: number;
  readonly table: string;
  readonly strategy: string;
  readonly concurrency: number;
  readonly totals: Counts;
  readonly durationMs: number;
  /** In order of precedence. */
  readonly files: readonly FileRecord[];
  /** Documents that are not among them, by what came of them. */
  readonly unlisted: readonly { readonly status: FileRecord['status']; readonly files: number }[];
}

export interface FileRecord {
  readonly path: string;
  readonly format: string;
  readonly status: 'loaded' | 'skipped' | 'failed' | 'not-loaded';
  readonly attempts: number;
  readonly stageMs: number | null;
  readonly waitMs: number | null;
  readonly mergeMs: number | null;
  readonly error: ErrorRecord | null;
}

/**
 * Writes the load's row, and a row for each file that it tried. Files that were skipped are only
 * counted: a job that runs every hour over a folder that grows would else write them every hour.
 */
export async function writeLoadRecord(
  connection: Connection,
  schema: string,
  load: LoadRecord,
): Promise<void> {
  const count = (status: FileRecord['status']): number =>
    load.files.filter((file) => file.status === status).length +
    (load.unlisted.find((files) => files.status === status)?.files ?? 0);
  const { totals } = load;
  await inTransaction(connection, async () => {
    await connection.query(
      `insert into ${quoted(schema)}.load
         (run_id, ordinal, table_name, strategy, concurrency, files_loaded, files_skipped,
          files_failed, files_not_loaded, rows_read, inserted, updated, unchanged, superseded,
          rejected, duration_ms)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
      [
        ...[load.runId, load.ordinal, load.table, load.strategy, load.concurrency],
        ...[count('loaded'), count('skipped'), count('failed'), count('not-loaded')],
        ...[totals.rowsRead, totals.inserted, totals.updated, totals.unchanged],
        ...[totals.superseded, totals.rejected, load.durationMs],
      ],
    );
    await writeFiles(connection, schema, load);
  });
}

async function writeFiles(connection: Connection, schema: string, load: LoadRecord): Promise<void> {
  const tried = load.files.flatMap((file, ordinal) => (isTold(file) ? [rowOf(file, ordinal)] : []));
  for (let at = 0; at < tried.length; at += LIMITS.recordedFilesPerStatement) {
    await connection.query(
      `insert into ${quoted(schema)}.file
         (run_id, load, ordinal, path, status, attempts, stage_ms, wait_ms, merge_ms, error_code,
          error)
       select $1, $2, f.*
         from json_to_recordset($3) as f (ordinal integer, path text, status text,
              attempts integer, stage_ms bigint, wait_ms bigint, merge_ms bigint, error_code text,
              error text)`,
      [
        load.runId,
        load.ordinal,
        JSON.stringify(tried.slice(at, at + LIMITS.recordedFilesPerStatement)),
      ],
    );
  }
}

/** Of a document that loaded, one of very many, the ledger tells all that there is to tell. */
function isTold({ status, format }: FileRecord): boolean {
  return status === 'failed' || (status === 'loaded' && format !== 'document');
}

function rowOf(file: FileRecord, ordinal: number): object {
  return {
    ordinal,
    path: file.path,
    status: file.status,
    attempts: file.attempts,
    stage_ms: file.stageMs,
    wait_ms: file.waitMs,
    merge_ms: file.mergeMs,
    error_code: file.error?.code ?? null,
    error: file.error?.sentence ?? null,
  };
}
