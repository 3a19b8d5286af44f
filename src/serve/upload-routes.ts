import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { didYouMean } from '../job/nearest-name.ts';
import { describeUpload } from './describe-upload.ts';
import type { Gate } from './gate.ts';
import { stopping } from './http-server.ts';
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
  const { gate, stop, queue } = context;
  const job = jobNamed(name, context.jobs);
  const query = uploadQuery(request.query, kind);
  gate.enter(job.name);
  const upload = await accept(kind, job, query, request, context).catch((error: unknown) => {
    gate.leave(job.name);
    throw error;
  });
  reply.header('location', `/runs/${upload.id}`);
  const ended = untilEnded(upload, query.waitSeconds * 1000, reply, context);
  queue(upload);
  const report = await ended;
  if (report === null) {
    if (stop.aborted) reply.header('connection', 'close');
    return reply.code(202).send(context.register.find(upload.id));
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

/** Receives, looks, and writes down. Where one of these fails, nothing of the upload stays. */
async function accept(
  kind: 'rows' | 'files',
  job: ServedJob,
  { name, alone }: ReturnType<typeof uploadQuery>,
  request: FastifyRequest,
  context: UploadRoutesContext,
): Promise<Upload> {
  const { spool, room, register, stop, now } = context;
  const id = newUploadId(now());
  const received = await receiveUpload(request, { ...context, id, kind, name, signal: stop });
  try {
    const described = await Promise.all(
      received.map((file) => describeUpload(file, kind, job, spool)),
    );
    if (stop.aborted) throw stopping();
    const files = described.map((file) => file.accepted);
    return await register.accept(
      { id, job: job.name, acceptedAt: now().toISOString(), alone, files },
      described.map(({ description }) => description),
    );
  } catch (error) {
    for (const { bytes } of received) room.give(bytes);
    await spool.remove(received.map(({ base }) => base));
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
