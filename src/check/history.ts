import { EtlError } from '../errors.ts';
import type { Settings } from '../job/schema.ts';
import { LIMITS } from '../limits.ts';
import { readRunFiles, readRuns, type PastFile, type PastRun } from '../target/history.ts';
import { tableNameOf, type TableName } from '../target/names.ts';
import { withReader } from './reader.ts';

/** What `etl history --json` prints. */
export interface History {
  readonly version: 1;
  /** Newest first. */
  readonly runs: readonly PastRun[];
  /** Files of the one run that was asked for; null where none was. */
  readonly files: readonly PastFile[] | null;
}

export interface HistoryRequest {
  readonly databaseUrl: string;
  readonly settings: Settings;
  /** One run with its files. */
  readonly runId: string | null;
  /** Only runs that loaded into this table, or tried to. */
  readonly table: string | null;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/** Reads the ledger and changes nothing: one of an older version stays as it is. */
export async function history(request: HistoryRequest): Promise<History> {
  const { runId, settings, limit } = request;
  const schema = settings.ledgerSchema;
  const table = tableOf(request.table);
  return withReader(request, 'etl history', async (connection) => {
    const runs = await readRuns(connection, schema, { runId, table, limit });
    if (runId === null) return { version: 1, runs, files: null };
    if (runs.length === 0) throw noSuchRun(runId, schema);
    const files = await readRunFiles(connection, schema, runId, LIMITS.historyFilesMax);
    return { version: 1, runs, files };
  });
}

/** @throws EtlError ETL_USAGE */
export function tableOf(text: string | null): TableName | null {
  return text === null ? null : tableNameOf(text);
}

function noSuchRun(runId: string, schema: string): EtlError {
  return new EtlError(
    'ETL_USAGE',
    `The ledger in schema ${schema} has no run "${runId}".`,
    'See etl history for the runs that there are.',
  );
}
