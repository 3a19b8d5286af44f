import type { ErrorRecord } from '../errors.ts';
import { NO_COUNTS, sumKnown, type KnownCounts } from '../target/known-counts.ts';
import type { LoadReport } from '../run/report-types.ts';
import type { FileDescription, SourceFile } from '../source/source-file.ts';
import type { Counts } from '../target/counts.ts';
import type { IdempotencyKey } from './idempotency.ts';

/** What was accepted by one request: one file or several, to be loaded in their order. */
export interface Upload {
  /** Sorts by time: `20261122103502123-7f3a1c5e`. */
  readonly id: string;
  readonly job: string;
  /** ISO 8601, UTC. */
  readonly acceptedAt: string;
  /** Not to be loaded together with others, so that its counts are its own. */
  readonly alone: boolean;
  /** Under which the same request may come again. */
  readonly idempotency?: IdempotencyKey;
  readonly files: readonly UploadFile[];
  startedAt: string | null;
  /** What keeps it from being loaded for the moment; it is tried again. */
  delayedBy: ErrorRecord | null;
  readonly followers: Set<Follower>;
}

export interface UploadFile {
  /** In the spool. */
  readonly base: string;
  /** As the client calls it. */
  readonly name: string;
  readonly bytes: number;
  /** Files of one layout have the same columns: together they mean what each means alone. */
  readonly layout: string;
  /** Its records are the values themselves, whatever the job says of `json.records`. */
  readonly bare: boolean;
  /** As it was found when it was accepted; null after a restart. */
  readonly known: KnownFile | null;
  /** Rows of it that are staged. */
  rowsStaged: number;
  verdict: FileVerdict | null;
}

/** What was found of a file of the spool, which nobody writes to afterwards. */
export interface KnownFile {
  readonly file: SourceFile;
  readonly description: FileDescription;
}

/** What became of a file. */
export interface FileVerdict {
  readonly status: 'loaded' | 'failed';
  /** The engine's run; null where none came to the file. */
  readonly run: string | null;
  readonly counts: KnownCounts;
  /** Path of the file that holds its rejected rows. */
  readonly rejects: string | null;
  readonly error: ErrorRecord | null;
  /** The run that loaded it together with others. */
  readonly batch: BatchReport | null;
}

/** A run of the engine, and all that it did. */
export interface BatchReport {
  readonly run: string;
  readonly uploads: number;
  readonly files: number;
  readonly totals: Counts;
  /** Counts of further tables, and rows that lookups created; where the job has some. */
  readonly targets?: LoadReport['targets'];
  readonly lookups?: LoadReport['lookups'];
}

/** An upload as clients see it. Plain JSON. */
export interface UploadReport {
  readonly id: string;
  readonly job: string;
  readonly state: 'queued' | 'loading' | 'loaded' | 'failed';
  readonly acceptedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Of all its files; null where one of them does not know. */
  readonly counts: KnownCounts;
  readonly files: readonly FileReport[];
  /** Runs that loaded it, with the totals of all that they loaded. */
  readonly runs: readonly BatchReport[];
  /** Of its first file that failed; while it is queued, what delays it. */
  readonly error: ErrorRecord | null;
}

interface FileReport extends KnownCounts {
  readonly name: string;
  readonly bytes: number;
  readonly status: 'queued' | 'loading' | 'loaded' | 'failed';
  readonly rejects: string | null;
  readonly error: ErrorRecord | null;
}

export type UploadEvent = 'queued' | 'started' | 'progress' | 'done';
export type Follower = (event: UploadEvent, report: UploadReport) => void;

export function isEnded(upload: Upload): boolean {
  return upload.files.every((file) => file.verdict !== null);
}

export function reportOf(upload: Upload, finishedAt: string | null): UploadReport {
  const { id, job, acceptedAt, startedAt, files } = upload;
  const failed = files.find((file) => file.verdict?.status === 'failed');
  const running = startedAt === null ? 'queued' : 'loading';
  const ended = failed === undefined ? 'loaded' : 'failed';
  const batches = files.flatMap((file) => file.verdict?.batch ?? []);
  return {
    ...{ id, job, state: isEnded(upload) ? ended : running, acceptedAt, startedAt, finishedAt },
    counts: sumKnown(files.map(({ verdict }) => verdict?.counts ?? NO_COUNTS)),
    files: files.map(({ name, bytes, rowsStaged, verdict }) => ({
      name,
      bytes,
      status: verdict?.status ?? running,
      ...(verdict?.counts ?? { ...NO_COUNTS, rowsRead: rowsStaged === 0 ? null : rowsStaged }),
      rejects: verdict?.rejects ?? null,
      error: verdict?.error ?? null,
    })),
    runs: [...new Map(batches.map((batch) => [batch.run, batch])).values()],
    error: failed?.verdict?.error ?? upload.delayedBy,
  };
}
