import { LIMITS } from '../limits.ts';
import { createEndedUploads, type EndedUpload, type EndedUploads } from './ended-uploads.ts';
import { createKeyedUploads, type KeyedUploads } from './idempotency.ts';
import { openJournal, readJournal, type AcceptedUpload, type JournalOptions } from './journal.ts';
import type { SpoolRoom } from './spool-room.ts';
import type { Spool } from './spool.ts';
import {
  isEnded,
  reportOf,
  type FileVerdict,
  type Follower,
  type KnownFile,
  type Upload,
  type UploadEvent,
  type UploadFile,
  type UploadReport,
} from './upload.ts';

/** All uploads that the service knows: those that are to be loaded, and the last that were. */
export interface Register {
  /** Those that an earlier process has accepted and not ended, in order. */
  readonly resumed: readonly Upload[];
  /** Durable once it resolves: from then on the upload is the service's. */
  accept(upload: AcceptedUpload, known: readonly KnownFile[]): Promise<Upload>;
  /** The upload that came under a key; see KeyedUploads. */
  readonly repeated: KeyedUploads['find'];
  find(id: string): UploadReport | null;
  /** Null where it has ended, or is not known. */
  open(id: string): Upload | null;
  started(upload: Upload): void;
  progress(upload: Upload): void;
  /** The last verdict ends the upload: journal first, then its files, then whoever waits. */
  settle(upload: Upload, file: UploadFile, verdict: FileVerdict): Promise<void>;
  follow(upload: Upload, follower: Follower): () => void;
  close(): Promise<void>;
}

export interface RegisterOptions {
  readonly spool: Spool;
  readonly room: SpoolRoom;
  readonly now: () => Date;
  readonly onEnd: (report: UploadReport) => void;
}

/** Reads what the journal says, removes from the spool what it does not, and goes on from there. */
export async function openRegister(options: RegisterOptions): Promise<Register> {
  const { spool, room, now, onEnd } = options;
  const known = await readKnown(options);
  const { ended, open, keyed } = known;
  const resumed = [...open.values()];
  const journal = await openJournal(spool.journalPath, {
    linesMax: 4 * LIMITS.serveUploadsKeptMax,
    before: () => spool.sync(),
    snapshot: () => snapshotOf(known),
  });

  const end = async (upload: Upload): Promise<void> => {
    const report = reportOf(upload, now().toISOString());
    const { idempotency } = upload;
    const one = { report, ...(idempotency === undefined ? {} : { idempotency }) };
    open.delete(upload.id);
    for (const oldest of ended.add(one)) keyed.forget(keyedOf(oldest));
    // Where it cannot be written, the next process looks again, and finds in the ledger what is loaded.
    const durable = await journal.append({ kind: 'ended', ...one }).then(
      () => true,
      () => false,
    );
    if (durable) await spool.remove(upload.files.map((file) => file.base));
    for (const { bytes } of upload.files) room.give(bytes);
    onEnd(report);
    tell(upload, 'done', report);
    upload.followers.clear();
  };
  return {
    resumed,
    accept: async (accepted, known) => {
      const upload = uploadOf(accepted, known);
      open.set(upload.id, upload);
      const durable = journal.append({ kind: 'accepted', upload: accepted });
      keyed.add(accepted, durable);
      try {
        await durable;
        return upload;
      } catch (error) {
        open.delete(upload.id);
        keyed.forget(accepted);
        throw error;
      }
    },
    repeated: keyed.find,
    find: (id) => {
      const upload = open.get(id);
      return upload === undefined ? ended.find(id) : reportOf(upload, null);
    },
    open: (id) => open.get(id) ?? null,
    started: (upload) => {
      if (upload.startedAt !== null) return;
      upload.startedAt = now().toISOString();
      tell(upload, 'started');
    },
    progress: (upload) => {
      if (upload.followers.size > 0) tell(upload, 'progress');
    },
    settle: async (upload, file, verdict) => {
      file.verdict = verdict;
      if (isEnded(upload)) await end(upload);
    },
    follow: (upload, follower) => {
      upload.followers.add(follower);
      return () => upload.followers.delete(follower);
    },
    close: () => journal.close(),
  };
}

/** The uploads that are to be loaded, the last that were, and which came under a key. */
interface KnownUploads {
  readonly open: Map<string, Upload>;
  readonly ended: EndedUploads;
  readonly keyed: KeyedUploads;
}

async function readKnown({ spool, room, now }: RegisterOptions): Promise<KnownUploads> {
  const ended = createEndedUploads();
  const pending = await readJournal(spool.journalPath, ended);
  const open = new Map(pending.map((accepted) => [accepted.id, uploadOf(accepted)] as const));
  const keyed = createKeyedUploads(now);
  for (const one of ended.all()) keyed.add(keyedOf(one));
  for (const upload of open.values()) keyed.add(upload);
  const kept = [...open.values()].flatMap((upload) => upload.files);
  await spool.sweep(new Set(kept.map((file) => file.base)));
  for (const { bytes } of kept) room.hold(bytes);
  return { open, ended, keyed };
}

/** The journal from which all of this can be read again. */
function snapshotOf({ open, ended }: KnownUploads): ReturnType<JournalOptions['snapshot']> {
  const accepted = [...open.values()].map(
    (upload) => ({ kind: 'accepted', upload: acceptedOf(upload) }) as const,
  );
  return [...ended.lines(), ...accepted];
}

function tell(upload: Upload, event: UploadEvent, report = reportOf(upload, null)): void {
  for (const follower of upload.followers) follower(event, report);
}

function uploadOf(accepted: AcceptedUpload, known: readonly KnownFile[] = []): Upload {
  return {
    ...accepted,
    files: accepted.files.map((file, index) => ({
      ...{ ...file, known: known[index] ?? null, rowsStaged: 0, verdict: null },
    })),
    startedAt: null,
    delayedBy: null,
    followers: new Set(),
  };
}

function keyedOf({ report, idempotency }: EndedUpload): Parameters<KeyedUploads['add']>[0] {
  const { id, job, acceptedAt } = report;
  return { id, job, acceptedAt, ...(idempotency === undefined ? {} : { idempotency }) };
}

function acceptedOf(upload: Upload): AcceptedUpload {
  const { id, job, acceptedAt, alone, idempotency, files } = upload;
  return {
    ...{ id, job, acceptedAt, alone },
    ...(idempotency === undefined ? {} : { idempotency }),
    files: files.map(({ base, name, bytes, layout, bare }) => ({
      base,
      name,
      bytes,
      layout,
      bare,
    })),
  };
}
