import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { EtlError } from '../../errors.ts';
import type { RejectedRow } from './bad-row.ts';
import { privateFolder } from './private-folder.ts';
import { kindOf, type FieldKinds } from './row-text.ts';
import type { SpoolFile } from './spool-file.ts';
import { SpoolWriter, unwritable, type WriterOptions } from './spool-writer.ts';

/** Rows in memory, or on their way: what can be gone through once, from the first on. */
export type Rows<Row = unknown> = Iterable<Row> | AsyncIterable<Row>;

/** Rows as files, so that they can be sampled, and read again where something fails. */
export interface Spool {
  /** A folder that only this user can read. */
  readonly folder: string;
  /** In order of the rows. */
  readonly files: readonly SpoolFile[];
  /** Rows that were met, the bad ones included. */
  readonly rows: number;
  readonly kinds: FieldKinds;
  /** The first of the rows that cannot be said in JSON, and how many there are. */
  readonly rejected: readonly RejectedRow[];
  readonly rejectedCount: number;
  remove(): Promise<void>;
}

export interface SpoolOptions extends WriterOptions {
  /** Where the private folder is made; the system's folder for temporary files where absent. */
  readonly within?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the rows to files, one line of JSON each. The next row is taken only when the last ones are
 * written, so that LIMITS.spoolBlockBytes of text are held, and no more, however many rows come.
 *
 * @throws EtlError ETL_ROW_INVALID for a bad row where that stops all, ETL_USAGE where the folder
 *   cannot be written, or rows are none, ETL_NO_ROOM where it is full, ETL_ABORTED; and whatever the iterable
 *   throws
 */
export async function spoolRows(rows: Rows, options: SpoolOptions): Promise<Spool> {
  refuseOthers(rows);
  const folder = await folderWithin(options.within ?? tmpdir());
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const writer = new SpoolWriter(folder, options);
  try {
    await eachRow(rows, options.signal, (row) => writer.add(row));
    const files = await writer.end();
    const { rows: met, kinds, rejected, rejectedCount } = writer;
    return { folder, files, rows: met, kinds, rejected, rejectedCount, remove };
  } catch (error) {
    await writer.close();
    await remove();
    throw error;
  }
}

/** Programs in JavaScript, and answers that nobody has typed, have no compiler to tell them. */
function refuseOthers(rows: unknown): void {
  const iterable =
    typeof rows === 'object' &&
    rows !== null &&
    (Symbol.iterator in rows || Symbol.asyncIterator in rows);
  if (iterable) return;
  throw new EtlError(
    'ETL_USAGE',
    `The rows are ${kindOf(rows)}, which no rows can be taken from.`,
    rows instanceof Promise
      ? 'Wait for them first: upsert(target, await rows).'
      : 'Give an array, a generator or a stream of objects; a single row is [row].',
  );
}

async function folderWithin(within: string): Promise<string> {
  try {
    return await privateFolder(within);
  } catch (error) {
    throw unwritable(within, error);
  }
}

async function eachRow(
  rows: Rows,
  signal: AbortSignal | undefined,
  take: (row: unknown) => Promise<void> | null,
): Promise<void> {
  refuseAborted(signal);
  if (Symbol.asyncIterator in rows) {
    await eachAwaited(rows[Symbol.asyncIterator](), signal, take);
    return;
  }
  for (const row of rows) {
    const room = take(row);
    if (room !== null) await room;
    refuseAborted(signal);
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted();
}

/** A source that never gives another row must not outlast an abort. */
async function eachAwaited(
  iterator: AsyncIterator<unknown>,
  signal: AbortSignal | undefined,
  take: (row: unknown) => Promise<void> | null,
): Promise<void> {
  // One listener for all rows: a race of each with one promise would keep what it was of all of them.
  let stop: (reason: unknown) => void = () => undefined;
  const onAbort = (): void => stop(aborted());
  const nextRow = (): Promise<IteratorResult<unknown>> =>
    new Promise((resolve, reject) => {
      stop = reject;
      iterator.next().then(resolve, reject);
    });
  signal?.addEventListener('abort', onAbort, { once: true });
  let ended = false;
  try {
    while (!ended) {
      const next = await nextRow();
      if (next.done === true) ended = true;
      else await take(next.value);
      refuseAborted(signal);
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Not awaited: a generator that waits for a source of its own answers when that does.
    if (!ended) void leave(iterator);
  }
}

async function leave(iterator: AsyncIterator<unknown>): Promise<void> {
  await iterator.return?.().catch(() => undefined);
}

export function aborted(): EtlError {
  return new EtlError(
    'ETL_ABORTED',
    'The upsert was interrupted; what it had committed stays.',
    'Call it again with the same rows.',
  );
}
