import type { Settings } from '../job/schema.ts';
import { LIMITS } from '../limits.ts';
import type { PlanContext } from './plan-context.ts';

export interface Workers {
  readonly count: number;
  readonly notices: readonly string[];
}

/** Workers that a load may have: as asked for, as far as the server has connections left. */
export function workersFor(
  settings: Pick<Settings, 'concurrency'>,
  { concurrencyAuto, server }: Pick<PlanContext, 'concurrencyAuto' | 'server'>,
): Workers {
  const asked = settings.concurrency === 'auto' ? concurrencyAuto : settings.concurrency;
  const wanted = Math.max(1, Math.min(asked, LIMITS.concurrencyMax));
  const free = Math.max(1, server.maxConnections - server.connectionsUsed - 1);
  if (wanted <= free) return { count: wanted, notices: [] };
  return {
    count: free,
    notices: [
      `The server has ${server.connectionsUsed} of ${server.maxConnections} connections in use, so ${free} instead of ${wanted} workers load.`,
    ],
  };
}
