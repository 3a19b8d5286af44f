import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { didYouMean } from '../job/nearest-name.ts';
import type { KnownHeaders } from '../source/csv/describe-csv.ts';
import { cannotKeep } from './cannot-keep.ts';
import { describeUpload } from './describe-upload.ts';
import type { Gate } from './gate.ts';
import { stopping } from './http-server.ts';
import { bodyDigest, idempotencyKeyOf } from './idempotency.ts';
import { receiveUpload } from './receive-upload.ts';
import { Refusal, statusOf } from './refusal.ts';
import type { Register } from './register.ts';
import type { ServedJob } from './served-jobs.ts';
import type { SpoolRoom } from './spool-room.ts';
import type { Spool } from './spool.ts';
import type { Upload, UploadReport } from './upload.ts';
import { uploadQuery } from './upload-query.ts';

export interface UploadRoutesContext {
  readonly jobs: ReadonlyMap<string, ServedJob>;
  readonly gate: Gate;
  readonly room: SpoolRoom;
  readonly spool: Spool;
  readonly register: Register;
  /** Puts what was accepted into its queue. */
  readonly queue: (upload: Upload) => void;
  readonly stop: AbortSignal;
  readonly now: () => Date;
  readonly bodyBytesMax: number;
  readonly idleMs: number;
  readonly bodyMs: number;
  /** Of the CSV files of a job, met so far. */
  readonly headersOf: (job: ServedJob) => KnownHeaders;
}

/** `POST /jobs/:name/rows` and `POST /jobs/:name/files`. */
export function uploadRoutes(app: FastifyInstance, context: UploadRoutesContext): void {
  for (const kind of ['rows', 'files'] as const) {
    app.post<{ Params: { name: string } }>(`/jobs/:name/${kind}`, async (request, reply) =>
      takeUpload(kind, request.params.name, request, reply, context),
    );
  }
}

async function takeUpload(
  kind: 'rows' | 'files',
  name: string,
  request: FastifyRequest,
  reply: FastifyReply,
  context: UploadRoutesContext,
): Promise<unknown> {
  const { gate, stop, queue, register } = context;
  const job = jobNamed(name, context.jobs);
  const query = uploadQuery(request.query, kind);
  const key = idempotencyKeyOf(request.headers['idempotency-key']);
  gate.enter(job.name);
  const taken = await accept(kind, job, { ...query, key }, request, context).catch(
    (error: unknown) => {
      gate.leave(job.name);
      throw error;
    },
  );
  const { id } = taken;
  reply.header('location', `/runs/${id}`);
  if (taken.upload === null) {
    gate.leave(job.name);
    reply.header('idempotent-replayed', 'true');
  }
  const upload = taken.upload ?? register.open(id);
  const ended =
    upload === null
      ? register.find(id)
      : untilEnded(upload, query.waitSeconds * 1000, reply, context);
  if (taken.upload !== null) queue(taken.upload);
  const report = await ended;
  if (report === null) {
    if (stop.aborted) reply.header('connection', 'close');
    return reply.code(202).send(register.find(id));
  }
  if (report.error === null) return reply.code(200).send(report);
  return reply.code(statusOf(report.error)).send({ ...report.error, report });
}

function jobNamed(name: string, jobs: UploadRoutesContext['jobs']): ServedJob {
  const job = jobs.get(name);
  if (job !== undefined) return job;
  const known = [...jobs.keys()];
  throw new Refusal(
    404,
    `There is no job ${JSON.stringify(name)}.${didYouMean(name, known)}`,
    'GET /jobs lists those that there are.',
  );
}

/** An upload that was taken; null where it is one that came before, under the same key. */
interface Taken {
  readonly id: string;
  readonly upload: Upload | null;
}

/**
 * Receives, looks, and writes down. Where one of these fails, or the same came before, nothing of what
 * was received stays.
 */
async function accept(
  kind: 'rows' | 'files',
  job: ServedJob,
  { name, alone, key }: ReturnType<typeof uploadQuery> & { readonly key: string | null },
  request: FastifyRequest,
  context: UploadRoutesContext,
): Promise<Taken> {
  const { spool, room, register, stop, now, headersOf } = context;
  const id = newUploadId(now());
  const asked = { ...context, id, kind, name, hashed: key !== null, signal: stop };
  const received = await receiveUpload(request, asked);
  const drop = async (): Promise<void> => {
    for (const { bytes } of received) room.give(bytes);
    await spool.remove(received.map(({ base }) => base));
  };
  const idempotency =
    key === null ? null : { key, body: bodyDigest({ id, kind, alone }, received) };
  const before = (): Promise<string> | null =>
    idempotency === null ? null : register.repeated(job.name, idempotency);
  const repeating = async (known: Promise<string>): Promise<Taken> => {
    const repeated = { id: await known, upload: null };
    await drop();
    return repeated;
  };
  try {
    const known = before();
    if (known !== null) return await repeating(known);
    const described = await Promise.all(
      received.map((file) => describeUpload(file, kind, job, spool, headersOf(job))),
    );
    if (stop.aborted) throw stopping();
    // The same request may have come while this one was looked at; from here on it has to wait.
    const meanwhile = before();
    if (meanwhile !== null) return await repeating(meanwhile);
    const files = described.map((file) => file.accepted);
    const own = idempotency === null ? {} : { idempotency };
    const accepted = { id, job: job.name, acceptedAt: now().toISOString(), alone, ...own, files };
    const upload = await register
      .accept(
        accepted,
        described.map(({ known }) => known),
      )
      .catch(cannotKeep(spool.filesFolder));
    return { id, upload };
  } catch (error) {
    await drop();
    throw error;
  }
}

/** Sorts by time, is unique, and fits into names: `20261122103502123-7f3a1c5e`. */
function newUploadId(now: Date): string {
  return `${now.toISOString().replace(/\D/g, '')}-${randomBytes(4).toString('hex')}`;
}

/** Null where the time is over, the service ends, or nobody waits any more. */
function untilEnded(
  upload: Upload,
  ms: number,
  reply: FastifyReply,
  { register, stop }: UploadRoutesContext,
): Promise<UploadReport | null> {
  if (ms === 0) return Promise.resolve(null);
  return new Promise((resolve) => {
    const done = (report: UploadReport | null): void => {
      clearTimeout(late);
      unfollow();
      stop.removeEventListener('abort', giveUp);
      reply.raw.off('close', giveUp);
      resolve(report);
    };
    const giveUp = (): void => done(null);
    const late = setTimeout(giveUp, ms);
    const unfollow = register.follow(upload, (event, report) => {
      if (event === 'done') done(report);
    });
    stop.addEventListener('abort', giveUp);
    reply.raw.on('close', giveUp);
    if (stop.aborted) giveUp();
  });
}
