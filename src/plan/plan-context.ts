import type { KeyRange } from '../conflict/key-range.ts';
import type { CsvOptions, JsonOptions } from '../job/schema.ts';
import type { TransformRequest } from '../job/transform-request.ts';
import type { Log } from '../log.ts';
import type { KnownHeaders } from '../source/csv/describe-csv.ts';
import type { SpelledField } from '../source/csv/sample-records.ts';
import type {
  CsvDescription,
  FileDescription,
  FileSample,
  ParquetDescription,
  SourceFile,
  TransformSource,
} from '../source/source-file.ts';
import type { KeptAs } from '../target/compressions.ts';
import type { GoneEntries } from '../target/gone-entries.ts';
import type { AskedFiles, LoadedFile } from '../target/ledger.ts';
import type { FoundIndex, IndexSpec } from '../target/indexes.ts';
import type { KeyedTable } from '../target/rows-of-keys.ts';
import type { SessionSetting } from '../target/session.ts';
import type { TextSpan } from '../target/above-table.ts';
import type { ServerInfo, TargetColumn, TargetTable, TargetType } from '../target/table.ts';

/** All that the planner may look at. It is passed in, so that planning runs without a database. */
export interface PlanContext {
  readonly cwd: string;
  readonly now: () => Date;
  /** Of the sampling: the same seed takes the same rows of the same files. */
  readonly seed: number;
  /** Load again what the ledger says is loaded. */
  readonly force: boolean;
  readonly log: Log;
  /** What `concurrency: auto` means here. */
  readonly concurrencyAuto: number;
  /** Processors that the load can keep busy: those of this machine where the server shares them. */
  readonly cores: number;
  /** No part of a file that is split has fewer bytes. */
  readonly partBytesMin: number;
  /** Fewer rows are not worth a look whether the table holds them as they are. */
  readonly comparedRowsMin: number;
  readonly server: ServerInfo & { readonly embedded: boolean };
  /** Settings of the sessions of so many workers. */
  chooseSession(concurrency: number): readonly SessionSetting[];
  readonly catalog: Catalog;
  readonly source: Source;
  /** Hashes of files' bytes, as the ledger keeps them, by path; of those that can be read as they are planned. */
  hashFiles(files: readonly SourceFile[]): Promise<ReadonlyMap<string, string>>;
}

/** The database, read only. */
export interface Catalog {
  readTable(name: {
    readonly schema: string | null;
    readonly name: string;
  }): Promise<TargetTable | null>;
  /** The schema in which a table without a schema is created: current_schema(). */
  creationSchema(): Promise<string>;
  /** Throws ETL_COLUMN_TYPE for a type that the server does not know. */
  resolveTypes(sqlTypes: readonly string[]): Promise<readonly TargetType[]>;
  /** How it reads 03.04.2025: DMY, MDY or YMD, the second part of its DateStyle. */
  dateOrder(): Promise<string>;
  /** How it can compress large values: pglz, lz4. */
  compressions(): Promise<readonly string[]>;
  /** See target/compressions.ts. */
  keptCompressions(tableOid: number): Promise<ReadonlyMap<string, KeptAs>>;
  /**
   * The database's own key hashes, row by row, NaN where a part of the key is null. Null where a
   * value is not valid for its type, or the types cannot be hashed.
   */
  hashKeys(
    types: readonly TargetType[],
    rows: readonly (readonly (string | null)[])[],
  ): Promise<Float64Array | null>;
  /**
   * For each span, whether it lies above the table's keys and above all spans before it (see
   * target/above-table.ts). Null where the database cannot tell.
   */
  spansAbove(
    table: { readonly schema: string; readonly name: string } | null,
    column: TargetColumn,
    spans: readonly TextSpan[],
  ): Promise<readonly boolean[] | null>;
  /** See target/rows-of-keys.ts. Null where a text is no key. */
  rowsOfKeys(
    table: KeyedTable,
    columns: readonly string[],
    keys: readonly (readonly (string | null)[])[],
  ): Promise<readonly (readonly (string | null)[] | null)[] | null>;
  /** How many rows have a leading key between these, as the server's planner expects. */
  rowsBetween(table: KeyedTable, min: string, max: string): Promise<number | null>;
  /** Names of the foreign keys that lead from one of these tables to another. */
  foreignKeysBetween(oids: readonly number[]): Promise<readonly string[]>;
  /** Throws ETL_USAGE for what is no condition over a row of these columns. */
  checkCondition(
    columns: readonly Pick<TargetColumn, 'name' | 'type'>[],
    condition: string,
    table: string,
  ): Promise<void>;
  /** The latest entry of each path, and of each file that was reached by another. */
  loadedFiles(tableOid: number, asked: AskedFiles): Promise<readonly LedgerEntry[]>;
  /** Oids of the tables that runs held; nothing of a run that is not known. */
  tablesOfRuns(runIds: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>>;
  /** Of an unlogged table: files whose rows a crash of the server took; see target/survivors.ts. */
  lostPaths(tableOid: number, paths: readonly string[]): Promise<readonly string[]>;
  /** Of files that were loaded into a table of the name with another oid; see refuse-restored.ts. */
  goneEntries(tableName: string, paths: readonly string[]): Promise<GoneEntries | null>;
  /** Of indexes that the table is to have; ETL_USAGE for one that the server would refuse. */
  findIndexes(table: IndexedColumns, specs: readonly IndexSpec[]): Promise<readonly FoundIndex[]>;
  /** Of a table that exists. */
  indexRights(table: Pick<TargetTable, 'schema' | 'name'>): Promise<{ readonly owned: boolean }>;
}

/** The oid is null where the table is to be created. */
type IndexedColumns = Pick<TargetTable, 'schema' | 'name' | 'columns'> & {
  readonly oid: number | null;
};

/** A file that an earlier run loaded into the same table. */
export type LedgerEntry = Pick<
  LoadedFile,
  | 'path'
  | 'bytes'
  | 'mtimeMs'
  | 'ctimeMs'
  | 'realPath'
  | 'contentHash'
  | 'fingerprint'
  | 'runId'
  | 'loadedAt'
  | 'rowsRead'
>;

/** The files. */
export interface Source {
  findFiles(
    patterns: readonly string[],
    options: {
      readonly cwd: string;
      readonly order: 'name' | 'mtime' | 'listed';
      /** Of all files, whatever their names. */
      readonly format?: 'document';
    },
  ): Promise<readonly SourceFile[]>;
  /** Where each of them lies, links followed. */
  realPaths(paths: readonly string[]): Promise<readonly string[]>;
  /** `headers` are those of all files that are described with these options. */
  describeFile(
    file: SourceFile,
    csv: CsvOptions,
    headers?: KnownHeaders,
    json?: JsonOptions,
  ): Promise<FileDescription>;
  sampleFile(
    file: SourceFile,
    description: FileDescription,
    options: {
      readonly rowsMax: number;
      readonly seed: number;
      /** All columns where absent; the sample's columns are in this order. */
      readonly columns?: readonly string[];
    },
  ): Promise<FileSample>;
  /** Some records with their spelling; see source/csv/sample-records.ts. */
  sampleRecords(
    file: SourceFile,
    description: CsvDescription,
    recordsMax: number,
  ): Promise<readonly SpelledField[][]>;
  /** Imports the module of a transform, which runs its code. */
  readTransform(request: TransformRequest): Promise<TransformSource>;
  /** Exact range of a column from the footer's statistics; null where it has none. */
  columnRange(
    file: SourceFile,
    description: ParquetDescription,
    column: string,
  ): Promise<KeyRange | null>;
}
