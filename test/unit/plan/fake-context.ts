import { EtlError } from '../../../src/errors.ts';
import { silentLog } from '../../../src/log.ts';
import type { LedgerEntry, PlanContext } from '../../../src/plan/plan-context.ts';
import type { FileDescription, SourceFile } from '../../../src/source/source-file.ts';
import type { TargetTable } from '../../../src/target/table.ts';
import { csv, csvFile, type } from './fixtures.ts';

export const SERVER: PlanContext['server'] = {
  versionNumber: 150_018,
  version: '15.18',
  database: 'shop',
  user: 'etl',
  address: '127.0.0.1:5432',
  encoding: 'UTF8',
  maxConnections: 100,
  connectionsUsed: 3,
  maxPreparedTransactions: 0,
  inRecovery: false,
  embedded: false,
};

/** A file that a test makes up: its rows as text, or an error instead of a description. */
export interface FakeFile {
  readonly file: SourceFile;
  readonly description: FileDescription | EtlError;
  readonly rows: readonly (readonly (string | null)[])[];
}

export function fakeCsv(
  name: string,
  columns: readonly string[],
  rows: FakeFile['rows'],
): FakeFile {
  return { file: csvFile(name), description: csv(columns), rows };
}

export interface FakeWorld {
  readonly files?: readonly FakeFile[];
  readonly tables?: readonly TargetTable[];
  readonly ledger?: readonly LedgerEntry[];
  readonly context?: Partial<PlanContext>;
  /** Whether the keys of all files lie above the table's, and each file's above the one before. */
  readonly above?: boolean;
  /** Indexes of the table. */
  readonly indexes?: readonly { readonly name: string; readonly using: string }[];
  /** Whether the table belongs to the session's user. */
  readonly owned?: boolean;
  /** Foreign keys between the tables. */
  readonly foreignKeys?: readonly string[];
  /** How the server reads dates; MDY by default. */
  readonly dateOrder?: string;
  /** Types whose values the database refuses to hash. */
  readonly hashes?: boolean;
}

/** SQL types as the server would name them. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  boolean: 'bool',
  'double precision': 'float8',
};

/** Files and a database that exist in memory only. Samples are whole files. */
export function fakeContext(world: FakeWorld): PlanContext {
  const files = world.files ?? [];
  const known = (file: SourceFile): FakeFile => {
    const found = files.find((each) => each.file.path === file.path);
    if (found === undefined) throw new Error(`no such fake: ${file.path}`);
    return found;
  };
  return {
    cwd: '/data',
    now: () => new Date('2024-05-06T07:08:09Z'),
    seed: 1,
    force: false,
    log: silentLog,
    concurrencyAuto: 4,
    cores: 4,
    partBytesMin: 1_000,
    comparedRowsMin: 10_000,
    server: SERVER,
    chooseSession: () => [],
    hashFiles: (files) => Promise.resolve(new Map(files.map(({ path }) => [path, 'hash']))),
    catalog: {
      readTable: ({ schema, name }) =>
        Promise.resolve(
          (world.tables ?? []).find(
            (each) => each.name === name && (schema === null || schema === each.schema),
          ) ?? null,
        ),
      creationSchema: () => Promise.resolve('public'),
      resolveTypes: async (sqlTypes) =>
        sqlTypes.map((sqlType) => {
          if (sqlType === 'nonsense') throw new EtlError('ETL_COLUMN_TYPE', 'no type', 'x');
          return type(TYPE_NAMES[sqlType] ?? sqlType, { declared: sqlType });
        }),
      dateOrder: async () => world.dateOrder ?? 'MDY',
      compressions: () => Promise.resolve(['pglz', 'lz4']),
      keptCompressions: () => Promise.resolve(new Map()),
      // The fake database takes 1.0 and 1.00 for one key, as a numeric does.
      hashKeys: async (_types, rows) =>
        world.hashes === false
          ? null
          : Float64Array.from(rows, (key) =>
              key.includes(null) ? NaN : Number(key.map(Number).join('')),
            ),
      spansAbove: async (_table, _column, spans) => spans.map(() => world.above ?? false),
      rowsOfKeys: async () => null,
      rowsBetween: async () => null,
      foreignKeysBetween: async () => world.foreignKeys ?? [],
      checkCondition: async () => undefined,
      loadedFiles: async (_oid, { paths }) =>
        (world.ledger ?? []).filter((entry) => paths.includes(entry.path)),
      lostPaths: async () => [],
      tablesOfRuns: async () => new Map(),
      goneEntries: async () => null,
      findIndexes: async (_table, specs) =>
        specs.map(({ using }) => ({
          definition: using,
          there: world.indexes?.find((each) => each.using === using)?.name ?? null,
          taken: null,
        })),
      indexRights: () => Promise.resolve({ owned: world.owned ?? true }),
    },
    source: {
      findFiles: async () => files.map((each) => each.file),
      realPaths: async (paths) => paths,
      describeFile: async (file) => {
        const { description } = known(file);
        if (description instanceof EtlError) throw description;
        return description;
      },
      sampleRecords: async () => [],
      sampleFile: async (file, description, options) => {
        const { rows } = known(file);
        const names = description.columns.map((each) =>
          typeof each === 'string' ? each : each.name,
        );
        const columns = options.columns ?? names;
        const taken = rows.slice(0, options.rowsMax);
        return {
          columns,
          rows: taken.map((row) => columns.map((name) => row[names.indexOf(name)] ?? null)),
          fileRows: rows.length,
          fileRowsExact: true,
          complete: taken.length === rows.length,
        };
      },
      // What the module would declare, the job says here.
      readTransform: async ({ module, options }) => ({
        ...{ module, options },
        columns: (options['columns'] ?? {}) as Record<string, string | null>,
        version: null,
      }),
      columnRange: () => Promise.resolve(null),
    },
    ...world.context,
  };
}
