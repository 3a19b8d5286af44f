import type { ErrorRecord } from '../../../src/errors.ts';
import { jobSchema } from '../../../src/job/schema.ts';
import type { FilePlan, LoadPlan, Plan } from '../../../src/plan/plan-types.ts';
import type { RunEvent } from '../../../src/run/events.ts';
import type { FileReport, LoadReport, Report } from '../../../src/run/report-types.ts';
import type { TargetColumn } from '../../../src/target/table.ts';

/** Plans, events and reports as a nightly load of four overlapping exports makes them. */

export function filePlan(ordinal: number, change: Partial<FilePlan> = {}): FilePlan {
  const name = `orders-${ordinal + 1}.csv`;
  return {
    path: `/data/exports/${name}`,
    name,
    format: 'csv',
    compression: 'none',
    bytes: 38_123_456,
    mtimeMs: 1_740_787_200_000,
    ordinal,
    description: {
      kind: 'csv',
      columns: ['id', 'total'],
      dialect: {
        delimiter: ',',
        quote: '"',
        escape: '"',
        null: '',
        encoding: 'utf8',
        header: true,
        skipLines: 0,
        comment: null,
        trim: false,
      },
      path: 'bytes',
    },
    targets: ['id', 'total'],
    estimatedRows: 500_000,
    rowsExact: false,
    range: null,
    keyMin: String(ordinal * 400_000 + 1),
    keyMax: String(ordinal * 400_000 + 500_000),
    skip: null,
    ...change,
  };
}

export function loadPlan(change: Partial<LoadPlan> = {}): LoadPlan {
  const files = change.files ?? [
    filePlan(0),
    filePlan(1),
    filePlan(2, {
      name: 'orders-3.parquet',
      path: '/data/exports/orders-3.parquet',
      format: 'parquet',
      bytes: 9_412_000,
      rowsExact: true,
    }),
    filePlan(3, {
      name: 'orders-4.csv.gz',
      path: '/data/exports/orders-4.csv.gz',
      compression: 'gzip',
      bytes: 812,
      estimatedRows: 12,
      keyMin: null,
      keyMax: null,
      skip: { runId: 'r-3f2a', loadedAt: '2025-03-01T02:14:07.000Z', rows: 12 },
    }),
  ];
  return {
    table: {
      schema: 'app',
      name: 'orders',
      sqlName: 'app.orders',
      oid: 16_402,
      columns: [column('id', 'bigint'), column('total', 'numeric(10,2)')],
      create: null,
      estimatedRows: 1_200_000,
      empty: false,
    },
    key: ['id'],
    onConflict: 'update',
    versionColumn: null,
    fingerprint: 'a1b2c3d4',
    strategy: 'hybrid',
    reason: 'two of three pairs of files share keys, and they form a short chain.',
    concurrency: 3,
    files,
    units: [0, 1, 2].map((ordinal) => ({
      ordinal,
      files: [ordinal],
      part: null,
      estimatedRows: 500_000,
      bytes: 38_123_456,
      range: null,
    })),
    conflicts: [
      { before: 0, after: 1, share: 0.2 },
      { before: 1, after: 2, share: 0.2 },
      { before: 0, after: 2, share: 0.0004 },
    ],
    overlap: {
      pairs: [
        { earlier: 0, later: 1, sharedSampledKeys: 4_012, share: 0.2 },
        { earlier: 1, later: 2, sharedSampledKeys: 3_988, share: 0.2 },
      ],
      sampledKeys: 60_000,
      totalRows: 1_500_000,
      missedShareMax: 0.004,
      sentence:
        '60,000 keys sampled of 1,500,000: an overlap of less than 0.4 % of a file may have been missed (95 % confidence).',
      multiplicity: 1.1538,
      sampled: true,
    },
    couplings: [],
    dropSuperseded: false,
    fillBeforeKey: false,
    costs: [
      { strategy: 'full-parallel', seconds: 9.8, why: 'every second merge would wait' },
      { strategy: 'hybrid', seconds: 6.2, why: 'a chain of three merges, staging in parallel' },
      { strategy: 'sequential', seconds: 12.4, why: 'three merges, one after another' },
      {
        strategy: 'partitioned',
        seconds: null,
        why: 'the files bring different columns, so a row is made of more than one file and no single winner per key exists',
      },
    ],
    notices: ['orders-3.parquet, column "shipped": nanoseconds are rounded to microseconds.'],
    ...change,
  };
}

export function plan(loads: readonly LoadPlan[] = [loadPlan()]): Plan {
  return {
    version: 1,
    planId: '4f1c9a6b2d3e8f70',
    createdAt: '2025-03-02T02:00:00.000Z',
    server: {
      versionNumber: 150_018,
      version: '15.18',
      database: 'shop',
      user: 'etl',
      address: 'db.internal:5432',
      encoding: 'UTF8',
      maxConnections: 100,
      connectionsUsed: 7,
      maxPreparedTransactions: 0,
      inRecovery: false,
      embedded: false,
    },
    settings: jobSchema.parse({ loads: [{ files: ['*.csv'], table: 'orders' }] }).settings,
    session: [
      {
        name: 'work_mem',
        value: '64MB',
        from: 'engine',
        why: 'shared_buffers of 128MB over 2 workers, from 16MB to 256MB',
      },
      { name: 'temp_buffers', value: '8MB', from: 'server', why: 'more of it gained nothing' },
      { name: 'jit', value: 'on', from: 'job', why: 'as the job says' },
    ],
    loads,
  };
}

export const rowError: ErrorRecord = {
  code: 'ETL_ROW_INVALID',
  sentence: '"12,50" is not a number (numeric).',
  remedy: 'Set decimalSeparator to "," or load the column as text.',
  facts: { file: '/data/exports/orders-3.csv', line: 105, column: 'total', value: '12,50' },
};

export function fileReport(ordinal: number, change: Partial<FileReport> = {}): FileReport {
  return {
    path: `/data/exports/orders-${ordinal + 1}.csv`,
    format: 'csv',
    bytes: 38_123_456,
    rowsRead: 500_000,
    inserted: 400_000,
    updated: 90_000,
    unchanged: 9_998,
    superseded: 2,
    rejected: 0,
    rejects: null,
    status: 'loaded',
    attempts: 1,
    stageMs: 1_240,
    waitMs: 310,
    mergeMs: 2_160,
    error: null,
    ...change,
  };
}

/** Of a file that brought nothing into the table. */
export const noCounts = {
  rowsRead: null,
  inserted: null,
  updated: null,
  unchanged: null,
  superseded: null,
  rejected: null,
  stageMs: null,
  waitMs: null,
  mergeMs: null,
} as const;

export function loadReport(change: Partial<LoadReport> = {}): LoadReport {
  return {
    table: 'app.orders',
    key: ['id'],
    strategy: 'hybrid',
    reason: 'two of three pairs of files share keys.',
    concurrency: 3,
    files: [fileReport(0), fileReport(1)],
    totals: {
      rowsRead: 1_000_000,
      inserted: 800_000,
      updated: 180_000,
      unchanged: 19_996,
      superseded: 4,
      rejected: 0,
    },
    prediction: {
      seconds: { predicted: 6.2, actual: 8.4, ratio: 8.4 / 6.2 },
      rows: { predicted: 1_000_000, actual: 1_000_000, ratio: 1 },
      multiplicity: { predicted: 1.1538, actual: null, ratio: null },
      conflicts: { predicted: 1, waitedMs: 620 },
      strategies: [
        { strategy: 'full-parallel', seconds: 9.8 },
        { strategy: 'hybrid', seconds: 6.2 },
        { strategy: 'partitioned', seconds: null },
      ],
    },
    ...change,
  };
}

export function report(change: Partial<Report> = {}): Report {
  return {
    version: 1,
    runId: 'r-7c11',
    status: 'loaded',
    startedAt: '2025-03-02T02:00:00.000Z',
    finishedAt: '2025-03-02T02:00:08.400Z',
    loads: [loadReport()],
    resources: {
      rssPeakBytes: 183_000_000,
      cpuUserMs: 5_210,
      cpuSystemMs: 830,
      connectionsPeak: 4,
    },
    throughput: { rowsPerSecond: 119_047.6, bytesPerSecond: 9_077_013 },
    error: null,
    ...change,
  };
}

/** One event of every kind; a kind without an example does not compile. */
export function eventOfEachKind(): { readonly [K in RunEvent['kind']]: RunEvent } {
  const at = { load: 0, file: 1 } as const;
  return {
    'run-started': { kind: 'run-started', runId: 'r-7c11', plan: plan() },
    'load-started': { kind: 'load-started', load: 0, plan: loadPlan() },
    'table-created': { kind: 'table-created', load: 0, ddl: 'create table app.orders ()' },
    'file-started': { kind: 'file-started', ...at, attempt: 1 },
    'file-progress': { kind: 'file-progress', ...at, rows: 250_000, bytes: 19_061_728 },
    'file-staged': { kind: 'file-staged', ...at, rows: 500_000 },
    'file-waiting': { kind: 'file-waiting', ...at, forFile: 0 },
    'file-merging': { kind: 'file-merging', ...at },
    'unit-retried': {
      kind: 'unit-retried',
      ...at,
      attempt: 2,
      delayMs: 120,
      error: {
        code: 'ETL_SERVER',
        sentence: 'deadlock detected.',
        remedy: 'It is tried again.',
        facts: { sqlState: '40P01' },
      },
    },
    'file-finished': { kind: 'file-finished', ...at, report: fileReport(1) },
    'rows-created': { kind: 'rows-created', load: 0, table: 'app.companies', rows: 12 },
    notice: { kind: 'notice', load: 0, sentence: 'The table was emptied since its last load.' },
    'load-finished': { kind: 'load-finished', load: 0 },
    'run-finished': { kind: 'run-finished', report: report() },
  };
}

function column(name: string, declared: string): TargetColumn {
  return {
    name,
    type: {
      declared,
      cast: declared,
      typeName: declared === 'bigint' ? 'int8' : 'numeric',
      kind: 'base',
      element: null,
      hashable: true,
      bytewise: declared === 'bigint',
    },
    collation: null,
    notNull: name === 'id',
    hasDefault: false,
    generated: 'no',
  };
}
