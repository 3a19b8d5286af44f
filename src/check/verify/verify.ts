import { present } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import type { Job } from '../../job/schema.ts';
import { LIMITS } from '../../limits.ts';
import type { Log } from '../../log.ts';
import { plan } from '../../plan/plan-job.ts';
import { compareCopies } from '../../target/compare-copies.ts';
import { compareKeys } from '../../target/compare-keys.ts';
import type { Connection } from '../../target/connect.ts';
import { readTable } from '../../target/read-table.ts';
import { referenceOf, type Reference } from '../../target/reference.ts';
import type { TargetTable } from '../../target/table.ts';
import { useSchemas } from '../../target/use-schemas.ts';
import { withReader } from '../reader.ts';
import { buildReference } from './build-reference.ts';
import {
  certainColumns,
  comparisonsOf,
  loadsByTable,
  toleranceOf,
  type Comparison,
  type VerifiedLoad,
} from './comparisons.ts';
import { explain } from './explain.ts';
import { findLedgerFiles, type LedgerFiles } from './ledger-files.ts';
import { withoutLoadTimes } from './load-times.ts';
import type { TableComparison, VerifyReport } from './verify-types.ts';

export interface VerifyOptions {
  /** A postgres:// URL. */
  readonly databaseUrl: string;
  /** Whether the tables hold nothing but these files: then each other row is a difference. */
  readonly wholeTable: boolean;
  readonly cwd: string;
  /** Keys that are compared at a time; `LIMITS.verifyRangeKeys` by default. */
  readonly rangeKeys?: number;
  readonly log: Log;
  /** Milliseconds; for durations only. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/**
 * Compares the tables of a job with what a sequential load of its files would leave. The session is
 * read-only; the reference is a temporary table of its own, which costs the time of a sequential
 * load, and the space of the files.
 *
 * What it cannot see: the reading of the files is the engine's own, so a value that is misread is
 * misread twice; and which rows a table held before its loads (see toleranceOf).
 *
 * @throws EtlError as plan() does, ETL_TABLE_MISSING, and for files that can no longer be read.
 */
export async function verify(job: Job, options: VerifyOptions): Promise<VerifyReport> {
  const loads = await planAll(job, options);
  const tables: TableComparison[] = [];
  for (const comparison of comparisonsOf(loads)) {
    const request = { ...options, settings: job.settings };
    tables.push(
      await withReader(request, 'etl verify', (connection) =>
        compareTable(connection, comparison, job, options),
      ),
    );
  }
  return { version: 1, equal: tables.every((table) => table.equal), tables };
}

/** The plan tells what the files are and where their columns go; how to load fast is no matter. */
async function planAll(job: Job, options: VerifyOptions): Promise<readonly VerifiedLoad[]> {
  const planned = await plan(
    { ...job, settings: { ...job.settings, conflictDetection: false } },
    { ...options, force: true },
  );
  const loads = loadsByTable(planned.loads.map(withoutLoadTimes));
  const missing = loads.find((load) => load.table.oid === null);
  if (missing === undefined) return loads;
  throw new EtlError(
    'ETL_TABLE_MISSING',
    `There is no table ${missing.table.sqlName} to verify.`,
    'Load it first, or check its name and the database.',
    { table: missing.table.sqlName },
  );
}

async function compareTable(
  connection: Connection,
  comparison: Comparison,
  job: Job,
  options: VerifyOptions,
): Promise<TableComparison> {
  const startedAt = options.now();
  const { wholeTable, log } = options;
  const signal = options.signal ?? new AbortController().signal;
  const load = present(comparison.loads[0], 'a load to verify');
  const table = present(await readTable(connection, load.table), `table ${load.table.sqlName}`);
  await useSchemas(connection, table.columns);
  const files = comparison.loads.flatMap(({ files: own }) => own);
  const brought = files.map((file) => new Set(file.targets.flatMap((name) => name ?? [])));
  const columns = certainColumns(comparison, table.columns, wholeTable);
  const reference = referenceOf(columns, load.key, brought);
  const { subBatchSize, ledgerSchema } = job.settings;
  const ledger = new Map<VerifiedLoad, LedgerFiles>();
  for (const one of comparison.loads) {
    ledger.set(one, await findLedgerFiles(connection, ledgerSchema, one));
  }
  const read = await buildReference(connection, comparison, reference, {
    ledger,
    wholeTable,
    subBatchSize,
    signal,
    onFile: (file, rows) => log.debug({ file: file.name, rows }, 'read into the reference'),
  });
  const compared = await compareRows(connection, comparison, {
    table,
    reference,
    wholeTable,
    rangeKeys: options.rangeKeys ?? LIMITS.verifyRangeKeys,
    signal,
  });
  const { missing, extra, changed } = compared;
  return {
    table: table.sqlName,
    key: load.key,
    onConflict: [...new Set(comparison.loads.map(({ onConflict }) => onConflict))],
    wholeTable,
    equal: missing + extra + changed === 0,
    files: files.length,
    rowsRead: read.reduce((sum, file) => sum + file.rows, 0),
    ...compared,
    notCompared: notCompared(table, reference),
    notices: explain({ comparison, table, read, ledger }),
    durationMs: Math.round(options.now() - startedAt),
  };
}

type Compared = Pick<
  TableComparison,
  | 'keys'
  | 'missing'
  | 'extra'
  | 'changed'
  | 'kept'
  | 'newer'
  | 'ranges'
  | 'rangesJoined'
  | 'differences'
>;

/** All statements see the table at one moment. */
async function compareRows(
  connection: Connection,
  comparison: Comparison,
  context: {
    readonly table: TargetTable;
    readonly reference: Reference;
    readonly wholeTable: boolean;
    readonly rangeKeys: number;
    readonly signal: AbortSignal;
  },
): Promise<Compared> {
  const { table, reference, wholeTable, rangeKeys, signal } = context;
  await connection.query('begin isolation level repeatable read read only');
  if (reference.keyColumns === 0) {
    const { rows, ...copies } = await compareCopies(connection, table, reference, !wholeTable);
    await connection.query('commit');
    return { keys: rows, ...copies, changed: 0, kept: 0, newer: 0, ranges: 0, rangesJoined: 0 };
  }
  const tolerance = toleranceOf(comparison, wholeTable);
  const compared = await compareKeys(
    { connection, table, reference, tolerance },
    { tableRows: table.estimatedRows, rangeKeys, signal },
  );
  await connection.query('commit');
  return compared;
}

function notCompared(table: TargetTable, reference: Reference): string[] {
  const compared = reference.columns.filter(
    (column) => reference.keyColumns > 0 || column.mark === null,
  );
  const names = new Set(compared.map((column) => column.target.name));
  return table.columns.map(({ name }) => name).filter((name) => !names.has(name));
}
