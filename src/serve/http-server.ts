import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { errorRecordOf, EtlError, type ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Metrics } from './metrics.ts';
import { readAway } from './receive-body.ts';
import { Refusal, statusOf } from './refusal.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token. */
    open?: boolean;
  }
}

export interface HttpServerOptions {
  readonly isAllowed: (authorization: string | undefined) => boolean;
  /** Aborted once no more uploads are taken. */
  readonly stop: AbortSignal;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly bodyMs: number;
}

/**
 * The HTTP server without its routes: who may ask, what an error looks like, and the limits on what a
 * client can hold. Bodies are not parsed: routes read them.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { isAllowed, stop, metrics, log, bodyMs } = options;
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    // Of a request that the limits on bodies have missed.
    requestTimeout: bodyMs + LIMITS.serveHeadMs,
    routerOptions: { maxParamLength: 100 },
    http: { connectionsCheckingInterval: 1_000, headersTimeout: LIMITS.serveHeadMs },
    clientErrorHandler: refuseSocket,
    frameworkErrors: (error, _request, reply) => {
      const { status, record } = answerOf(error, log);
      reply.raw.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
      reply.raw.end(JSON.stringify(record));
    },
  });
  app.server.maxConnections = LIMITS.serveSocketsMax;
  endSilentSockets(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  await app.register(multipart);
  app.addHook('onRequest', async (request) => {
    const { open } = request.routeOptions.config;
    if (open !== true && !isAllowed(request.headers.authorization)) throw noToken();
    if (stop.aborted && request.method !== 'GET') throw stopping();
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    const { statusCode: status, elapsedTime } = reply;
    metrics.request(method, routeOptions.url ?? 'unknown', status);
    log.debug({ method, route: routeOptions.url, status, ms: Math.round(elapsedTime) }, 'request');
  });
  app.setNotFoundHandler(async () => {
    throw new Refusal(404, 'There is nothing at this address.', ADDRESSES);
  });
  app.setErrorHandler(async (error, request, reply) => {
    const answer = answerOf(error, log);
    if (request.method === 'POST') metrics.refused(answer.status);
    await refuse(answer, request, reply);
    return answer.record;
  });
  return app;
}

/**
 * Ends, when the server closes, the connections by which no request has come yet. Browsers open such
 * ones ahead, and Node does not count them as idle: it would wait for 70 s until they end by themselves.
 */
function endSilentSockets(app: FastifyInstance): void {
  const silent = new Set<Socket>();
  let closing = false;
  app.server.on('connection', (socket) => {
    if (closing) {
      socket.destroy();
      return;
    }
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }) => silent.delete(socket));
  app.addHook('preClose', async () => {
    closing = true;
    for (const socket of silent) socket.destroy();
  });
}

const ADDRESSES =
  'POST /jobs/<name>/rows and /jobs/<name>/files take uploads; GET /jobs, /runs/<id>, /metrics and /health tell.';

interface Answer {
  readonly status: number;
  readonly record: ErrorRecord;
  readonly retryAfter: number | null;
}

async function refuse(
  { status, retryAfter }: Answer,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const complete = await readAway(request.raw);
  reply.code(status);
  if (!complete || status === 503) reply.header('connection', 'close');
  if (retryAfter !== null) reply.header('retry-after', retryAfter);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
}

function answerOf(error: unknown, log: Log): Answer {
  if (error instanceof Refusal) {
    return { status: error.status, record: error.record, retryAfter: error.retryAfter };
  }
  if (error instanceof EtlError) {
    return { status: statusOf(error.record), record: error.record, retryAfter: null };
  }
  const { statusCode = 500, message } = error as Error & { readonly statusCode?: number };
  if (statusCode >= 400 && statusCode < 500) {
    const sentence = `${message.replace(/\.$/, '')}.`;
    const record = {
      code: 'ETL_USAGE',
      sentence,
      remedy: 'See docs/serve.md.',
      facts: {},
    } as const;
    return { status: statusCode, record, retryAfter: null };
  }
  log.error({ error: errorRecordOf(error), stack: (error as Error).stack }, 'request failed');
  const sentence = 'The service failed on this request.';
  const record = {
    code: 'ETL_INTERNAL',
    sentence,
    remedy: 'Its log says why.',
    facts: {},
  } as const;
  return { status: 500, record, retryAfter: null };
}

function noToken(): Refusal {
  return new Refusal(
    401,
    'The token is missing or wrong.',
    'Send it as "Authorization: Bearer <token>".',
  );
}

const STOPPING_SECONDS = 10;

export function stopping(): Refusal {
  return new Refusal(
    503,
    'The service is stopping, and takes no more uploads.',
    'Send it again when the service is back; what it has accepted is loaded then.',
    { retryAfter: STOPPING_SECONDS },
  );
}

const OF_PARSER: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'The head of the request is too large',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not come in time'],
};

/** What is no HTTP has no request and no reply: the answer is written by hand. */
function refuseSocket(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, what] = OF_PARSER[error.code ?? ''] ?? [
    '400 Bad Request',
    'This is no HTTP request',
  ];
  const remedy = 'See docs/serve.md.';
  const record: ErrorRecord = { code: 'ETL_USAGE', sentence: `${what}.`, remedy, facts: {} };
  const body = JSON.stringify(record);
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
