import type { FilePlan } from '../plan/plan-types.ts';
import type { CsvPart } from '../source/csv/find-parts.ts';
import type { LedgerContext } from '../target/ledger.ts';
import type { KeyWindow } from '../target/key-window.ts';
import type { MergeTarget } from '../target/merge-sql.ts';
import type { FurtherTask } from './further-task.ts';
import type { Quarantine } from './quarantine/quarantine.ts';

/** What all units of a load share. Plain JSON: it crosses threads. */
export interface LoadTask {
  readonly target: MergeTarget;
  /** Tables that take the same rows, in the same transaction, after the target; absent: none. */
  readonly further?: readonly FurtherTask[];
  /** For people. */
  readonly sqlName: string;
  readonly ledger: LedgerContext;
  /** Whether the database's encoding is UTF-8, so that text compares here as there. */
  readonly utf8: boolean;
  /** Row triggers may swallow rows, so the merge counts what it returns. */
  readonly countRows: boolean;
  /** COPY ignores rules, and refuses row security: such a table is always written by INSERT. */
  readonly insertsOnly: boolean;
  readonly subBatchSize: number;
  /** When the run began, ISO 8601: the value of a column of documents that has the time of loading. */
  readonly startedAt: string;
  /** Whether units create the rows of other tables one after another; see run/creation-turns.ts. */
  readonly createsInOrder?: true;
  /** Null: the first bad row ends its file. */
  readonly quarantine: Quarantine | null;
}

/** One unit of work, for one worker. Plain JSON. */
export interface UnitTask {
  readonly load: LoadTask;
  readonly unit: number;
  readonly files: readonly FilePlan[];
  readonly attempt: number;
  /** Rows that lose for certain and are not sent, by file; files not named are sent whole. */
  readonly superseded?: ReadonlyMap<number, SupersededRows>;
  /** Its keys lie in this window as far as is known: it may be copied into the table directly. */
  readonly direct?: KeyWindow | undefined;
  /** What of its only file the unit holds; absent where it holds whole files. */
  readonly part?: UnitPart | undefined;
  /** Paths of the reject files, by file; with `quarantine`. */
  readonly rejectPaths?: ReadonlyMap<number, string>;
}

/** A part of a file as a worker reads it: places are exact, where those of the plan are wishes. */
export type UnitPart =
  | ({ readonly kind: 'bytes' } & CsvPart)
  /** Row groups `[from, to)`. */
  | { readonly kind: 'row-groups'; readonly from: number; readonly to: number };

export interface SupersededRows {
  /** One byte per record, 1 for those to send. */
  readonly keep: Uint8Array;
  readonly kept: number;
  /** Of the file when its keys were read; null of a part. */
  readonly contentHash: string | null;
  /** Of the records that are not sent, those that the table holds as they are; absent: none. */
  readonly unchanged?: number;
}

/** What a worker tells while it works on a unit. */
export type UnitNews =
  | { readonly kind: 'file-started'; readonly file: number }
  | {
      readonly kind: 'file-progress';
      readonly file: number;
      readonly rows: number;
      readonly bytes: number;
    }
  | { readonly kind: 'file-staged'; readonly file: number; readonly rows: number }
  | { readonly kind: 'notice'; readonly file: number; readonly sentence: string }
  /** Rows that a lookup created in another table, and which stay there whatever becomes of the file. */
  | {
      readonly kind: 'rows-created';
      readonly file: number;
      readonly table: string;
      readonly rows: number;
    };

export interface UnitHooks {
  readonly signal: AbortSignal;
  readonly news: (news: UnitNews) => void;
  /** Milliseconds; for durations only. */
  readonly now: () => number;
  /** Resolves once all earlier units have created theirs; with `createsInOrder`. */
  readonly turn?: () => Promise<void>;
}

/** A file whose rows are staged. */
export interface StagedFile {
  readonly file: FilePlan;
  /** Rows read, those that were rejected and, with `superseded`, those that were not sent included. */
  readonly rows: number;
  /** Rows that are in the staging table. */
  readonly staged: number;
  /** Of the rows that were not sent, those that the table holds as they are; absent: none. */
  readonly unchanged?: number;
  /** SHA-256 of the file's bytes, hex; null of a part that did not read the whole file. */
  readonly contentHash: string | null;
  /** Ordinal under which its rows are staged: its own, or of the first file of the same COPY. */
  readonly stagedAs: number;
  /** Whether `etl_row` is the number of the row in its file. */
  readonly numbered: boolean;
  /** Whether its records were told apart by who sifts bad ones out, or as that one would. */
  readonly sifted: boolean;
  /** Rows that were rejected, and the spools that hold them; see reject-spool.ts. */
  readonly rejected: number;
  readonly spools: readonly string[];
}
