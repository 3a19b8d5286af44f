import { createReadStream } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { EndedUploads } from './ended-uploads.ts';
import type { IdempotencyKey } from './idempotency.ts';
import type { UploadReport } from './upload.ts';

/** What the service must still know after a crash: what it has accepted, and how that ended. */
export type JournalEntry =
  | { readonly kind: 'accepted'; readonly upload: AcceptedUpload }
  | {
      readonly kind: 'ended';
      readonly report: UploadReport;
      readonly idempotency?: IdempotencyKey;
    };

/** Plain JSON. */
export interface AcceptedUpload {
  readonly id: string;
  readonly job: string;
  readonly acceptedAt: string;
  readonly alone: boolean;
  /** Where its client has said one. */
  readonly idempotency?: IdempotencyKey;
  readonly files: readonly AcceptedFile[];
}

export interface AcceptedFile {
  readonly base: string;
  readonly name: string;
  readonly bytes: number;
  readonly layout: string;
  readonly bare: boolean;
}

export interface Journal {
  /**
   * Durable once it resolves; where it rejects, nothing of the entry is kept. Entries that come while
   * others are written share the next write.
   */
  append(entry: JournalEntry): Promise<void>;
  close(): Promise<void>;
}

export interface JournalOptions {
  /** Lines after which the journal is written again from the start, with what the snapshot says. */
  readonly linesMax: number;
  /** All that is still of interest, in order: entries, and lines that say some. */
  readonly snapshot: () => readonly (JournalEntry | string)[];
  /** Before entries are written: what they speak of must be durable, too. */
  readonly before: () => Promise<void>;
}

/**
 * A file of lines, each an entry. It is only appended to; when most of it is of the past, a new one
 * takes its place by rename. 500 entries at once cost 5 calls of fdatasync, since those that arrive
 * while one is under way are written together.
 */
export async function openJournal(path: string, options: JournalOptions): Promise<Journal> {
  let file = await writeAnew(path, options.snapshot());
  let entries: JournalEntry[] = [];
  let written = 0;
  /** Until the folder is durable, a power cut may bring back the journal before this one. */
  let named = false;
  let current: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;

  const flush = async (): Promise<void> => {
    const text = linesOf(entries);
    const count = entries.length;
    entries = [];
    next = null;
    await options.before();
    if (!named) await syncFolder(dirname(path));
    named = true;
    await addWhole(file, text);
    written += count;
    if (written > options.linesMax) await renew();
  };
  /** What was asked for is durable by then; where there is no room for a new one the old one goes on. */
  const renew = async (): Promise<void> => {
    const waiting = new Set(entries.map(uploadIdOf));
    const kept = options
      .snapshot()
      .filter((entry) => !isAccepted(entry) || !waiting.has(uploadIdOf(entry)));
    const anew = await writeAnew(path, kept).catch(() => null);
    written = anew === null ? Math.floor(options.linesMax / 2) : 0;
    if (anew === null) return;
    const old = file;
    file = anew;
    named = false;
    await old.close();
  };
  return {
    append: (entry) => {
      entries.push(entry);
      next ??= current = current.catch(() => undefined).then(flush);
      return next;
    },
    close: async () => {
      await current.catch(() => undefined);
      await file.close();
    },
  };
}

/** All of it or nothing: whoever is refused must not be found in the journal by the next process. */
async function addWhole(file: FileHandle, text: string): Promise<void> {
  const { size } = await file.stat();
  try {
    // Where a torn line could not be taken back, the empty line ends it.
    await file.appendFile(`\n${text}`);
    await file.datasync();
  } catch (error) {
    await file
      .truncate(size)
      .then(() => file.datasync())
      .catch(() => undefined);
    throw error;
  }
}

/** What fails leaves no half of a file, which would take the room that is wanted. */
async function writeAnew(
  path: string,
  entries: readonly (JournalEntry | string)[],
): Promise<FileHandle> {
  const name = `${path}.new`;
  await rm(name, { force: true });
  const file = await open(name, 'ax', 0o600);
  try {
    for (let at = 0; at < entries.length; at += LINES_AT_ONCE) {
      await file.appendFile(linesOf(entries.slice(at, at + LINES_AT_ONCE)));
    }
    await file.datasync();
    await rename(name, path);
    return file;
  } catch (error) {
    await file.close();
    await rm(name, { force: true });
    throw error;
  }
}

/** Entries of which the text is in memory, where many are written. */
const LINES_AT_ONCE = 200;

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function linesOf(entries: readonly (JournalEntry | string)[]): string {
  const lines = entries.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry)));
  return lines.map((line) => `${line}\n`).join('');
}

function isAccepted(
  entry: JournalEntry | string,
): entry is Extract<JournalEntry, { kind: 'accepted' }> {
  return typeof entry !== 'string' && entry.kind === 'accepted';
}

function uploadIdOf(entry: JournalEntry): string {
  return entry.kind === 'accepted' ? entry.upload.id : entry.report.id;
}

/**
 * What was accepted and has not ended, in order; what has ended is added to `ended`. Nothing where there
 * is no journal. A line that a crash has torn says nothing, either.
 */
export async function readJournal(
  path: string,
  ended: EndedUploads,
): Promise<readonly AcceptedUpload[]> {
  const pending = new Map<string, AcceptedUpload>();
  const input = createReadStream(path);
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const entry = entryOf(line);
      if (entry?.kind === 'accepted') pending.set(entry.upload.id, entry.upload);
      if (entry?.kind !== 'ended') continue;
      pending.delete(entry.report.id);
      const { report, idempotency } = entry;
      ended.add({ report, ...(idempotency === undefined ? {} : { idempotency }) });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return [...pending.values()];
}

function entryOf(line: string): JournalEntry | null {
  try {
    return line === '' ? null : (JSON.parse(line) as JournalEntry);
  } catch {
    return null;
  }
}
