import { LIMITS } from '../../src/limits.ts';
import type { LoadPlan, Plan } from '../../src/plan/plan-types.ts';

/** Connections that are left to others while the user's server is measured. */
const CONNECTIONS_SPARED = 3;
/** Beyond this many workers for a core of this machine more of them only wait. */
const WORKERS_PER_CORE = 4;
const WORKERS_WORTH_TRYING = 8;
/** The range pipeline gives each owner about this many rows. */
const ROWS_PER_OWNER = 50_000;

/**
 * 1, 2, 4, 8 … as far as the server has connections, this machine can drive and the sample has
 * work for; and what the job has now. The server's cores cannot be asked for: the runs tell.
 */
export function concurrencyCandidates(
  plan: Plan,
  cores: number,
  current: number | 'auto',
): readonly number[] {
  const { maxConnections, connectionsUsed } = plan.server;
  const most = Math.max(
    1,
    Math.min(
      LIMITS.concurrencyMax,
      maxConnections - connectionsUsed - CONNECTIONS_SPARED,
      Math.max(WORKERS_WORTH_TRYING, cores * WORKERS_PER_CORE),
      Math.max(...plan.loads.map(workOf)),
    ),
  );
  const powers = [1, 2, 4, 8, 16, 32, 64].filter((count) => count <= most);
  const now = current === 'auto' || current > most ? [] : [current];
  return ascending([...powers, ...now]);
}

/** A quarter of the value, the value, four times it. */
export function chunkCandidates(current: number): readonly number[] {
  return ascending([
    Math.max(1, Math.round(current / 4)),
    current,
    Math.min(LIMITS.chunkRowsMax, current * 4),
  ]);
}

export function subBatchCandidates(current: number): readonly number[] {
  return ascending([
    Math.max(1, Math.round(current / 10)),
    current,
    Math.min(LIMITS.subBatchRowsMax, current * 5),
  ]);
}

/** Whether some file goes through the row path, the only one that has sub-batches. */
export function hasRowPath(plan: Plan): boolean {
  return plan.loads.some(({ files }) =>
    files.some(({ description }) => description.kind === 'csv' && description.path === 'rows'),
  );
}

/** What of a plan a chunk size could change: plans with the same work need no comparison. */
export function workShape(plan: Plan): string {
  return JSON.stringify(plan.loads.map(({ strategy, units }) => ({ strategy, units })));
}

function workOf({ units, strategy, files }: LoadPlan): number {
  const rows = files.reduce((sum, file) => sum + file.estimatedRows, 0);
  const owners = strategy === 'partitioned' ? Math.ceil(rows / ROWS_PER_OWNER) : 0;
  return Math.max(1, units.length, owners);
}

function ascending(values: readonly number[]): readonly number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
