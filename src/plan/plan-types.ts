import type { LoadRequest, Settings, Strategy } from '../job/schema.ts';
import type { KeyRange } from '../conflict/key-range.ts';
import type { FileDescription, SourceFile } from '../source/source-file.ts';
import type { KnownIndex } from '../target/indexes.ts';
import type { KeyWindow } from '../target/key-window.ts';
import type { TextColumn } from '../target/row-text.ts';
import type { SessionSetting } from '../target/session.ts';
import type { Coupling, ServerInfo, TargetColumn } from '../target/table.ts';

/** The frozen object that `etl plan --json` prints and `run` executes. Plain JSON, no secrets. */
export interface Plan {
  readonly version: 1;
  /** SHA-256 (hex, 16 characters) of everything below it except times and estimates. */
  readonly planId: string;
  readonly createdAt: string;
  readonly server: ServerInfo & { readonly embedded: boolean };
  readonly settings: Settings;
  /** Settings of the sessions that load, those that are left to the server among them. */
  readonly session: readonly SessionSetting[];
  readonly loads: readonly LoadPlan[];
}

export interface LoadPlan {
  readonly table: PlannedTable;
  readonly key: readonly string[];
  readonly onConflict: LoadRequest['onConflict'];
  readonly versionColumn: string | null;
  /** Tables that take the same rows, in the same transaction, after `table`; absent: none. */
  readonly targets?: readonly TargetPlan[];
  /** Columns that are written when a row is inserted, and never again; absent: none. */
  readonly insertOnly?: readonly string[];
  /** Columns that alone say whether a row has changed; absent: all that are brought. */
  readonly compare?: readonly string[];
  /** Identifies what loading a file means here (key, policy, columns, dialect): in the ledger. */
  readonly fingerprint: string;
  readonly strategy: Strategy;
  /** One sentence: why this strategy. */
  readonly reason: string;
  readonly concurrency: number;
  /** In order of precedence, lowest first; `ordinal` is the index. */
  readonly files: readonly FilePlan[];
  /** Units of work in order of precedence; `ordinal` is the index. Skipped files are in none. */
  readonly units: readonly UnitPlan[];
  /** Predicted conflicts: unit `before` must merge before unit `after`. None where files are split. */
  readonly conflicts: readonly ConflictEdge[];
  readonly overlap: OverlapEstimate;
  /**
   * Whether rows that lose for certain to a later row (with `ignore`, an earlier one) are not sent
   * to the server at all; `partitioned` only.
   */
  readonly dropSuperseded: boolean;
  /** Rows that the table holds as they are may be found before anything is sent; absent: they are not. */
  readonly unchanged?: UnchangedPlan;
  /** Whether the table, which is to be created, is filled before it gets its key; tried first. */
  readonly fillBeforeKey: boolean;
  /** How the files are copied into the table itself by all workers at once; tried first. Absent: not. */
  readonly directShares?: DirectShares;
  /** Indexes that the job asks for; absent: none. */
  readonly indexes?: readonly IndexPlan[];
  readonly couplings: readonly Coupling[];
  readonly costs: readonly StrategyCost[];
  /** What people should know: nanoseconds rounded, ignored columns, a table emptied since its load. */
  readonly notices: readonly string[];
}

export interface IndexPlan extends KnownIndex {
  /** The index of the table that is the same; null: it is made once the rows are loaded. */
  readonly there: string | null;
}

/** How the files are compared with the table before they are loaded. */
export interface UnchangedPlan {
  /** Of all files alike, in their order: how the table's values are spelled like theirs. */
  readonly columns: readonly TextColumn[];
  /** Whether only rows of the table are read whose key lies between the files' keys. */
  readonly withinRange: boolean;
  /** Records that were sampled, and those of them that the table holds as they are. */
  readonly sampled: number;
  readonly equal: number;
  /** Rows of the table that are read, as far as is known. */
  readonly tableRows: number;
}

/** A further table of a load. */
export interface TargetPlan {
  readonly table: PlannedTable;
  readonly key: readonly string[];
  readonly onConflict: LoadRequest['onConflict'];
  readonly versionColumn: string | null;
  /** SQL condition over its columns and those of the load's table; null: all rows. */
  readonly where: string | null;
}

export interface PlannedTable {
  readonly schema: string;
  readonly name: string;
  readonly sqlName: string;
  /** Null where the table is to be created. */
  readonly oid: number | null;
  /** All columns of the table, those that no file brings included. */
  readonly columns: readonly TargetColumn[];
  /** DDL, where the table is to be created. */
  readonly create: string | null;
  readonly estimatedRows: number;
  readonly empty: boolean;
}

export interface FilePlan extends SourceFile {
  readonly ordinal: number;
  readonly description: FileDescription;
  /** For each column of the file, in its order: the column of the table, or null (ignored). */
  readonly targets: readonly (string | null)[];
  /** The same for each further table of the load; absent: none. */
  readonly further?: readonly (readonly (string | null)[])[];
  readonly estimatedRows: number;
  readonly rowsExact: boolean;
  /** Range of the leading key column: of the sample, or of the Parquet footer. A hint, no proof. */
  readonly range: KeyRange | null;
  /** Keys as people read them, for the plan's table. */
  readonly keyMin: string | null;
  readonly keyMax: string | null;
  /** Why the file is not loaded: its ledger entry. Null: it is loaded. */
  readonly skip: {
    readonly runId: string;
    readonly loadedAt: string;
    readonly rows: number;
    /**
     * The path of the entry, where its times are not those of the file, and the content, which was read, is:
     * the run notes them, so that the next one need not read it.
     */
    readonly retimed?: string;
  } | null;
  /** The run that loaded the path into the table last; absent where none did, or it is skipped. */
  readonly earlierRun?: string;
  /** Where it lies, of rows without a key, if it was reached through a link; see same-file.ts. */
  readonly realPath?: string;
}

/** Whole files, contiguous in precedence: one transaction of the file pipeline. Or a part of one. */
export interface UnitPlan {
  readonly ordinal: number;
  readonly files: readonly number[];
  /** What of its only file the unit holds; null: whole files. */
  readonly part: FilePart | null;
  readonly estimatedRows: number;
  readonly bytes: number;
  readonly range: KeyRange | null;
  /**
   * Where its keys are thought to lie, if it may be copied into the table directly; without bounds where the
   * plan knows of all keys of the load that no two are one.
   */
  readonly direct?: KeyWindow;
}

/** A part of a large file (`partitioned`): all parts of a file are neighbours among the units. */
export interface FilePart {
  /** From 0. */
  readonly index: number;
  /** Parts of the file. */
  readonly of: number;
  /**
   * `[from, to)`: offsets in a CSV file, where each part ends with the record that is open there; or
   * row groups of a Parquet file.
   */
  readonly from: number;
  readonly to: number;
}

/** The files one behind the other, and a stretch of about the same bytes for each worker. */
export interface DirectShares {
  /** The leading column of the key. */
  readonly column: string;
  /**
   * For each worker, in order of precedence: files, and parts of CSV files whose real ends are at the
   * next record. `direct` is the window of the whole file; that of a part is found in the file.
   */
  readonly shares: readonly (readonly UnitPlan[])[];
}

export interface ConflictEdge {
  readonly before: number;
  readonly after: number;
  /** Estimated share (0 to 1) of the keys of `after` that `before` holds, too. */
  readonly share: number;
}

export interface OverlapEstimate {
  /** Pairs of files with shared sampled keys, the largest shares first; bounded by `limits`. */
  readonly pairs: readonly OverlapPair[];
  readonly sampledKeys: number;
  readonly totalRows: number;
  /** Upper bound (95 %) on the share of a file's keys that the sample may have missed, 0 to 1. */
  readonly missedShareMax: number;
  /** For example `no shared key among 20,000 sampled of 500,000: less than 0.4 % with 95 % …`. */
  readonly sentence: string;
  /** Estimated rows / distinct keys over all files, duplicates inside files included. */
  readonly multiplicity: number;
  /** Whether keys were sampled at all (conflictDetection, append). */
  readonly sampled: boolean;
}

export interface OverlapPair {
  readonly earlier: number;
  readonly later: number;
  readonly sharedSampledKeys: number;
  /** Estimated share (0 to 1) of the keys of `later` that `earlier` holds, too. */
  readonly share: number;
}

export interface StrategyCost {
  readonly strategy: Strategy;
  /** Null where the strategy cannot do this load; `why` says so. */
  readonly seconds: number | null;
  readonly why: string;
}
