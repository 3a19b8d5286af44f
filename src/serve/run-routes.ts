import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { LIMITS } from '../limits.ts';
import { Refusal } from './refusal.ts';
import type { Register } from './register.ts';
import { reportOf, type Upload, type UploadEvent, type UploadReport } from './upload.ts';

export interface RunRoutesContext {
  readonly register: Register;
  readonly stop: AbortSignal;
}

/** `GET /runs/:id` and `GET /runs/:id/events`. */
export function runRoutes(app: FastifyInstance, context: RunRoutesContext): void {
  const { register, stop } = context;
  let followers = 0;
  app.get<{ Params: { id: string } }>('/runs/:id', async (request) =>
    known(register, request.params.id),
  );
  app.get<{ Params: { id: string } }>('/runs/:id/events', async (request, reply) => {
    const { id } = request.params;
    const report = known(register, id);
    // An EventSource comes again whenever a stream ends, and stays away only after this answer.
    const heard = request.headers['last-event-id'] === DONE_ID && report.finishedAt !== null;
    if (heard) return reply.code(204).send();
    if (followers >= LIMITS.serveFollowersMax) throw tooManyFollowers();
    followers += 1;
    reply.raw.once('close', () => (followers -= 1));
    const upload = register.open(id);
    const response = startStream(reply);
    if (upload === null) {
      tell(response, 'done', report);
      response.end();
    } else {
      follow(response, upload, register, stop);
    }
    return reply;
  });
}

/** @throws Refusal 404 */
export function known(register: Register, id: string): UploadReport {
  const report = register.find(id);
  if (report !== null) return report;
  throw new Refusal(
    404,
    `There is no run ${JSON.stringify(id)}.`,
    `The last ${LIMITS.serveUploadsKeptMax} that ended are remembered; etl history knows all.`,
  );
}

function tooManyFollowers(): Refusal {
  return new Refusal(429, 'Too many follow runs at this moment.', 'Ask GET /runs/<id> instead.', {
    retryAfter: LIMITS.serveHeartbeatMs / 1000,
  });
}

/** From here on the response is ours: https://html.spec.whatwg.org/multipage/server-sent-events.html */
function startStream(reply: FastifyReply): ServerResponse {
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  return reply.raw;
}

function follow(
  response: ServerResponse,
  upload: Upload,
  register: Register,
  stop: AbortSignal,
): void {
  let progressTold = 0;
  const off = register.follow(upload, (event, report) => {
    const now = performance.now();
    if (event === 'progress' && now - progressTold < LIMITS.progressIntervalMs * 2) return;
    progressTold = now;
    tell(response, event, report);
    if (event === 'done') response.end();
  });
  const heartbeat = setInterval(() => response.write(':\n\n'), LIMITS.serveHeartbeatMs);
  const end = (): void => void response.end();
  stop.addEventListener('abort', end);
  response.once('close', () => {
    clearInterval(heartbeat);
    stop.removeEventListener('abort', end);
    off();
  });
  tell(response, upload.startedAt === null ? 'queued' : 'started', reportOf(upload, null));
  if (stop.aborted) end();
}

/** What a client that has heard the end sends as Last-Event-ID. */
const DONE_ID = 'done';

/** Whoever does not read loses the stream, and not we our memory. */
const UNREAD_BYTES_MAX = 256 * 1024;

function tell(response: ServerResponse, event: UploadEvent, report: UploadReport): void {
  if (response.writableLength > UNREAD_BYTES_MAX) {
    response.destroy();
    return;
  }
  // Every event holds all that is known, so that only the last of them is worth a name.
  const id = event === 'done' ? `id: ${DONE_ID}\n` : '';
  response.write(`${id}event: ${event}\ndata: ${JSON.stringify(report)}\n\n`);
}
