import type { FastifyInstance } from 'fastify';
import type { ErrorRecord } from '../errors.ts';
import type { Gate } from './gate.ts';
import type { Metrics } from './metrics.ts';
import type { ServedJob } from './served-jobs.ts';

export interface StateRoutesContext {
  readonly jobs: ReadonlyMap<string, ServedJob>;
  readonly gate: Gate;
  readonly metrics: Metrics;
  /** Metrics are answered without a token. */
  readonly openMetrics: boolean;
  readonly ready: () => Promise<ErrorRecord | null>;
  readonly stop: AbortSignal;
}

/** `GET /health`, `GET /health/ready`, `GET /jobs` and `GET /metrics`. */
export function stateRoutes(app: FastifyInstance, context: StateRoutesContext): void {
  const { jobs, gate, metrics, openMetrics, ready, stop } = context;
  // Some of those who only want to know whether it lives ask without a body.
  const open = { config: { open: true }, exposeHeadRoute: true };
  app.get('/health', open, async () => ({ status: stop.aborted ? 'stopping' : 'ok' }));
  // Whoever has no token hears whether, and not what: an error may name hosts and users.
  app.get('/health/ready', open, async (_request, reply) => {
    if (stop.aborted) return reply.code(503).send({ status: 'stopping' });
    const error = await ready();
    if (error === null) return { status: 'ready' };
    return reply.code(503).send({ status: 'unavailable', code: error.code });
  });
  app.get('/jobs', async () =>
    [...jobs.values()].map(({ name, load }) => ({
      name,
      table: load.table,
      onConflict: load.onConflict,
      uploads: gate.inside(name),
    })),
  );
  app.get('/metrics', { config: { open: openMetrics } }, async (_request, reply) => {
    reply.header('content-type', metrics.contentType);
    return metrics.text();
  });
}
