import { setMaxListeners } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Log } from '../log.ts';
import { createConnections } from './connections.ts';
import { createGate, type Gate } from './gate.ts';
import { createHttpServer, stopping } from './http-server.ts';
import type { Lane } from './lane.ts';
import { createLanes, type ServiceJob } from './lanes.ts';
import { createMetHeaders } from './met-headers.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createReadiness, type Database } from './readiness.ts';
import { openRegister, type Register } from './register.ts';
import { rejectRoutes } from './reject-routes.ts';
import { runRoutes } from './run-routes.ts';
import { createRunSessions, type RunSessions } from './run-sessions.ts';
import { createSpoolRoom, type SpoolRoom } from './spool-room.ts';
import { openSpool, type Spool } from './spool.ts';
import { stateRoutes } from './state-routes.ts';
import { createThroughput } from './throughput.ts';
import { createTokenCheck } from './token.ts';
import { uploadRoutes } from './upload-routes.ts';

export interface ServiceOptions {
  readonly jobs: readonly ServiceJob[];
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly token: string;
  readonly openMetrics: boolean;
  readonly bodyBytesMax: number;
  /** Uploads of one job that may be on their way. */
  readonly queueMax: number;
  readonly spool: string;
  readonly spoolBytesMax: number;
  /** To PostgreSQL, of all jobs together; one of them is for whoever asks whether it is there. */
  readonly connectionsMax: number;
  readonly log: Log;
  /** Silence of a body, and time for the whole of it; those of LIMITS where absent. */
  readonly bodyIdleMs?: number;
  readonly bodyMs?: number;
}

export interface Service {
  readonly url: string;
  /** Takes no more, sees the runs that are under way to their ends, and keeps the rest in the spool. */
  stop(): Promise<void>;
}

/**
 * Starts the service: what an earlier one has left in the spool is queued first.
 *
 * @throws EtlError ETL_USAGE where the spool or the address is not to be had, ETL_JOB_INVALID where
 *   the spool holds uploads of a job that there is no more
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const spool = await openSpool(options.spool);
  try {
    return await startWith(spool, options);
  } catch (error) {
    await spool.close();
    throw error;
  }
}

async function startWith(spool: Spool, options: ServiceOptions): Promise<Service> {
  const stopper = new AbortController();
  const stop = stopper.signal;
  // As many listen as requests wait.
  setMaxListeners(0, stop);
  const parts = await createParts(spool, options, stop);
  const { gate, register, lanes, sessions, queue } = parts;
  const app = await createApp(parts, options, stop);
  const close = async (): Promise<void> => {
    stopper.abort(stopping());
    await Promise.all([...new Set(lanes.values())].map((lane) => lane.ended));
    await sessions.close();
    await app.close();
    await register.close();
  };
  try {
    resume(register, parts.jobs, (upload) => {
      gate.hold(upload.job);
      queue(upload);
    });
    const url = await listen(app, options);
    return {
      url,
      stop: async () => {
        await close();
        await spool.close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What is behind the routes. */
interface ServiceParts {
  readonly jobs: ReadonlyMap<string, ServiceJob>;
  readonly spool: Spool;
  readonly gate: Gate;
  readonly room: SpoolRoom;
  readonly metrics: Metrics;
  readonly register: Register;
  readonly sessions: RunSessions;
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly queue: Lane['add'];
  readonly now: () => Date;
}

async function createParts(
  spool: Spool,
  { jobs, log, connectionsMax, queueMax, spoolBytesMax }: ServiceOptions,
  stop: AbortSignal,
): Promise<ServiceParts> {
  const now = (): Date => new Date();
  const speeds = new Map(jobs.map(({ name }) => [name, createThroughput()]));
  const retryAfter = (job: string, waiting: number): number =>
    speeds.get(job)?.retryAfter(waiting) ?? 1;
  const gate = createGate(queueMax, retryAfter);
  const slowest = (): number =>
    Math.max(...jobs.map(({ name }) => retryAfter(name, gate.inside(name))));
  const room = createSpoolRoom(spoolBytesMax, slowest);
  const connections = createConnections(connectionsMax - 1);
  const metrics = createMetrics({
    jobs: jobs.map(({ name }) => name),
    uploads: gate.inside,
    spoolBytes: room.taken,
    connections: connections.taken,
  });
  const register = await openRegister({
    ...{ spool, room, now },
    onEnd: (report) => {
      gate.leave(report.job);
      metrics.uploadEnded(report);
    },
  });
  const sessions = createRunSessions(
    jobs.map(({ databaseUrl }) => databaseUrl),
    connectionsMax - 1,
  );
  const lanes = createLanes(jobs, {
    ...{ spool, register, metrics, connections, sessions, connectionsMax, speeds, log, stop },
    inside: gate.inside,
  });
  return {
    ...{ spool, gate, room, metrics, register, sessions, lanes, now },
    jobs: new Map(jobs.map((job) => [job.name, job])),
    queue: (upload) => lanes.get(upload.job)?.add(upload),
  };
}

async function createApp(
  parts: ServiceParts,
  options: ServiceOptions,
  stop: AbortSignal,
): Promise<FastifyInstance> {
  const { jobs, spool, gate, room, metrics, register, queue, now } = parts;
  const { log, bodyBytesMax, openMetrics } = options;
  const { bodyIdleMs: idleMs = LIMITS.serveBodyIdleMs, bodyMs = LIMITS.serveBodyMs } = options;
  const app = await createHttpServer({
    ...{ isAllowed: createTokenCheck(options.token), stop, metrics, log, bodyMs },
  });
  const ready = createReadiness(databasesOf(options.jobs), {
    now: () => performance.now(),
    goodMs: LIMITS.serveReadyMs,
  });
  stateRoutes(app, { jobs, gate, metrics, openMetrics, ready, stop });
  runRoutes(app, { register, stop });
  rejectRoutes(app, register);
  uploadRoutes(app, {
    ...{ jobs, gate, room, spool, register, queue, stop, now, bodyBytesMax, idleMs, bodyMs },
    headersOf: createMetHeaders(),
  });
  return app;
}

function databasesOf(jobs: readonly ServiceJob[]): Database[] {
  const byUrl = new Map(jobs.map((job) => [job.databaseUrl, job.job.settings]));
  return [...byUrl].map(([databaseUrl, settings]) => ({ databaseUrl, settings }));
}

function resume(
  { resumed }: Register,
  jobs: ReadonlyMap<string, ServiceJob>,
  go: (upload: Register['resumed'][number]) => void,
): void {
  const lost = resumed.filter((upload) => !jobs.has(upload.job));
  if (lost.length > 0) {
    const names = [...new Set(lost.map((upload) => upload.job))].join(', ');
    throw new EtlError(
      'ETL_JOB_INVALID',
      `The spool holds ${lost.length} accepted uploads of jobs that are not served any more: ${names}.`,
      'Serve these jobs until they are loaded, or give another folder with --spool.',
    );
  }
  resumed.forEach(go);
}

async function listen(
  app: FastifyInstance,
  { host, port }: Pick<ServiceOptions, 'host' | 'port'>,
): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new EtlError(
      'ETL_USAGE',
      `The service cannot listen on ${host} port ${port}: ${code}.`,
      code === 'EADDRINUSE'
        ? 'Choose another with --port.'
        : 'Choose another with --host or --port.',
      {},
      { cause: error },
    );
  }
}
