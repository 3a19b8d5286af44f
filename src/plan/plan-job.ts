import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { EtlError } from '../errors.ts';
import type { Job, Settings } from '../job/schema.ts';
import { LIMITS } from '../limits.ts';
import type { Log } from '../log.ts';
import { describeFile } from '../source/describe.ts';
import { findFiles } from '../source/find-files.ts';
import { columnRange } from '../source/column-range.ts';
import { sampleRecords } from '../source/csv/sample-records.ts';
import { heedingChanges } from '../source/refuse-changed.ts';
import { sampleFile } from '../source/sample.ts';
import { realPaths } from '../source/real-paths.ts';
import type { SourceFile } from '../source/source-file.ts';
import { readTransform } from '../source/transform/read-transform.ts';
import { spansAbove } from '../target/above-table.ts';
import { rowsBetween, rowsOfKeys } from '../target/rows-of-keys.ts';
import type { SessionValues } from '../target/apply-session.ts';
import { connect, type Connection, type ConnectOptions } from '../target/connect.ts';
import { findIndexes, indexRights } from '../target/indexes.ts';
import { checkCondition } from '../target/check-condition.ts';
import { keptCompressions, readCompressions } from '../target/compressions.ts';
import { foreignKeysBetween } from '../target/foreign-keys.ts';
import { goneEntries } from '../target/gone-entries.ts';
import { hashSampledKeys } from '../target/keys.ts';
import { loadedFiles } from '../target/ledger.ts';
import { tablesOfRuns } from '../target/run-record.ts';
import { lostPaths } from '../target/survivors.ts';
import { readServer } from '../target/read-server.ts';
import { readTable } from '../target/read-table.ts';
import { refusePooler } from '../target/refuse-pooler.ts';
import { serverMemoryBytes } from '../target/machine-memory.ts';
import { readServerDefaults } from '../target/server-defaults.ts';
import { chooseSession, sessionSettings } from '../target/session.ts';
import { resolveTypes } from '../target/types.ts';
import { withConnection } from '../target/with-connection.ts';
import { hashFiles } from './hash-files.ts';
import { planLoads } from './plan.ts';
import type { Catalog, PlanContext, Source } from './plan-context.ts';
import type { Plan } from './plan-types.ts';

export interface PlanOptions {
  /** A postgres:// URL. */
  readonly databaseUrl: string;
  /** Whether that is the embedded server; for the plan's readers. */
  readonly embedded?: boolean;
  /** Load again what the ledger says is loaded. */
  readonly force?: boolean;
  /** Relative paths of the job start here; the process's own working directory by default. */
  readonly cwd?: string;
  /** No part of a file that is split has fewer bytes; `LIMITS.splitPartBytesMin` by default. */
  readonly partBytesMin?: number;
  /** Rows of a load from which on it may be compared with its table first. */
  readonly comparedRowsMin?: number;
  /** Processors that a load can keep busy; those of this machine where absent. */
  readonly cores?: number;
  readonly log: Log;
  readonly signal?: AbortSignal;
}

/** One seed for all plans: the same files give the same plan. */
const SAMPLE_SEED = 1;

/** Connections that a run leaves free for others, beside its workers. */
const CONNECTIONS_SPARED = 5;

/**
 * Plans a job against its database, which it only reads: its session is read-only. Throws an
 * EtlError for whatever would make the load fail for sure.
 */
export async function plan(job: Job, options: PlanOptions): Promise<Plan> {
  return planWith(job, options, {});
}

/** What a plan is made with, passed in where it is there already. */
export interface PlanParts {
  /** Opens the planner's connection; `connect` where absent. */
  readonly connect?: (options: ConnectOptions) => Promise<Connection>;
  /** All files of the job's loads, in order of precedence; they are looked for where absent. */
  readonly files?: readonly SourceFile[];
  /** What looks at files in another way, where something is known of them already. */
  readonly source?: Partial<Source>;
}

/** The same with its surroundings passed in. */
export async function planWith(job: Job, options: PlanOptions, parts: PlanParts): Promise<Plan> {
  const asked: ConnectOptions = {
    databaseUrl: options.databaseUrl,
    applicationName: 'etl plan',
    connectTimeoutMs: job.settings.connectTimeoutMs,
    idleTimeoutMs: job.settings.idleTimeoutMs,
    session: planningSession(job.settings),
  };
  const connection = await (parts.connect ?? connect)(asked);
  try {
    return await withConnection(connection, options.signal, async () => {
      await refusePooler(connection, asked, sleep);
      return planLoads(job, await surroundings(job, options, parts, connection));
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  }
}

async function surroundings(
  job: Job,
  options: PlanOptions,
  parts: PlanParts,
  connection: Connection,
): Promise<PlanContext> {
  const [found, defaults] = await Promise.all([
    readServer(connection),
    readServerDefaults(connection),
  ]);
  const server = { ...found, embedded: options.embedded ?? false };
  const cores = options.cores ?? availableParallelism();
  const free = server.maxConnections - server.connectionsUsed - CONNECTIONS_SPARED;
  return {
    cwd: options.cwd ?? process.cwd(),
    now: () => new Date(),
    seed: SAMPLE_SEED,
    force: options.force ?? false,
    log: options.log,
    concurrencyAuto: Math.max(1, Math.min(8, Math.max(2, cores), free)),
    cores,
    partBytesMin: options.partBytesMin ?? LIMITS.splitPartBytesMin,
    comparedRowsMin: options.comparedRowsMin ?? LIMITS.comparedRowsMin,
    server,
    chooseSession: (concurrency) =>
      chooseSession(job.settings, {
        server: defaults,
        memoryBytes: serverMemoryBytes(server),
        concurrency,
      }),
    catalog: catalogOf(connection, job.settings.ledgerSchema),
    source: {
      findFiles: (patterns, asked) => filesOf(job.settings, parts, patterns, asked),
      ...{ ...READERS, readTransform, realPaths },
      ...parts.source,
    },
    hashFiles: (files) => hashFiles(files, options.signal),
  };
}

const READERS = {
  describeFile: heedingChanges(describeFile),
  sampleFile: heedingChanges(sampleFile),
  sampleRecords: heedingChanges(sampleRecords),
  columnRange: heedingChanges(columnRange),
};

async function filesOf(
  { expansionRatioMax, onError }: Settings,
  { files: known }: PlanParts,
  ...[patterns, asked]: Parameters<Source['findFiles']>
): Promise<readonly SourceFile[]> {
  if (known !== undefined) return known;
  const files = await findFiles(patterns, { ...asked, expansionRatioMax });
  return onError === 'stop' ? files : files.map((file) => ({ ...file, badBytes: 'of a row' }));
}

/** It reads, and changes nothing. */
export function planningSession(settings: Settings): SessionValues {
  return { ...sessionSettings(settings), default_transaction_read_only: 'on' };
}

/** The planner asks about many files at once; the connection answers one question at a time. */
function catalogOf(connection: Connection, ledgerSchema: string): Catalog {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
    const answer = last.then(ask, ask);
    last = answer.catch(() => undefined);
    return answer;
  };
  return {
    readTable: (name) => inTurn(() => readTable(connection, name)),
    creationSchema: () => inTurn(() => currentSchema(connection)),
    resolveTypes: (sqlTypes) => inTurn(() => resolveTypes(connection, sqlTypes)),
    dateOrder: () => inTurn(() => dateOrder(connection)),
    compressions: () => inTurn(() => readCompressions(connection)),
    keptCompressions: (tableOid) => inTurn(() => keptCompressions(connection, tableOid)),
    hashKeys: (types, rows) =>
      inTurn(() => unlessInvalid(hashSampledKeys(connection, types, rows))),
    spansAbove: (...asked) => inTurn(() => unlessInvalid(spansAbove(connection, ...asked))),
    rowsOfKeys: (...asked) => inTurn(() => unlessInvalid(rowsOfKeys(connection, ...asked))),
    rowsBetween: (...asked) => inTurn(() => rowsBetween(connection, ...asked)),
    foreignKeysBetween: (oids) => inTurn(() => foreignKeysBetween(connection, oids)),
    checkCondition: (...asked) => inTurn(() => checkCondition(connection, ...asked)),
    loadedFiles: (...asked) => inTurn(() => loadedFiles(connection, ledgerSchema, ...asked)),
    tablesOfRuns: (runIds) => inTurn(() => tablesOfRuns(connection, ledgerSchema, runIds)),
    lostPaths: (...asked) => inTurn(() => lostPaths(connection, ledgerSchema, ...asked)),
    goneEntries: (...asked) => inTurn(() => goneEntries(connection, ledgerSchema, ...asked)),
    findIndexes: (...asked) => inTurn(() => findIndexes(connection, ...asked)),
    indexRights: (table) => inTurn(() => indexRights(connection, table)),
  };
}

async function currentSchema(connection: Connection): Promise<string> {
  const [row] = await connection.query('select current_schema() as schema');
  return typeof row?.['schema'] === 'string' ? row['schema'] : 'public';
}

async function dateOrder(connection: Connection): Promise<string> {
  const [row] = await connection.query(`select current_setting('datestyle') as style`);
  return /(?:DMY|MDY|YMD)$/.exec(String(row?.['style']))?.[0] ?? 'MDY';
}

async function unlessInvalid<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    // A sampled value that is not valid for its type is the load's to report, with its line.
    const state = error instanceof EtlError ? error.record.facts.sqlState : undefined;
    if (state !== undefined && /^(22|42)/.test(state)) return null;
    throw error;
  }
}
