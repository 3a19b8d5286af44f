import type { ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';

/**
 * What may pass when it is tried again, by SQLSTATE. Everything else will fail again and is told at
 * once. Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const RETRYABLE_SQL_STATES: ReadonlySet<string> = new Set([
  '40001', // serialization_failure
  '40003', // statement_completion_unknown: the ledger knows on the next try.
  '40P01', // deadlock_detected: with writers other than ours, which lock in their own order.
  '53200', // out_of_memory: other sessions' memory, mostly.
  '53300', // too_many_connections
  '55P03', // lock_not_available: lock_timeout ran out.
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now: the server starts up or recovers.
  '57P05', // idle_session_timeout: a unit that waits for admission is idle.
]);

/** Class 08, connection exceptions: whole, since poolers report all their troubles as 08P01. */
const CONNECTION_CLASS = '08';

/** Errors of the socket: the server went away, or is not back yet. */
const RETRYABLE_SOCKET_CODES: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOENT', // The server's unix socket, gone while it restarts.
  'EPIPE',
  'ETIMEDOUT',
  'WORKER_LOST', // Ours: a thread that died, and its connection with it.
]);

export function retryable({ facts }: ErrorRecord): boolean {
  if (facts.sqlState !== undefined) {
    return RETRYABLE_SQL_STATES.has(facts.sqlState) || facts.sqlState.startsWith(CONNECTION_CLASS);
  }
  return facts.socket !== undefined && RETRYABLE_SOCKET_CODES.has(facts.socket);
}

/** Errors in which the server says that the transaction was rolled back. */
const ROLLED_BACK_SQL_STATES: ReadonlySet<string> = new Set(['40001', '40P01', '53200', '55P03']);

/**
 * Whether a commit may have happened although it was answered with this error: the connection went
 * before the answer came. Only the ledger knows.
 */
export function commitInDoubt(record: ErrorRecord): boolean {
  return retryable(record) && !ROLLED_BACK_SQL_STATES.has(record.facts.sqlState ?? '');
}

export interface RetryPolicy {
  readonly minMs: number;
  readonly maxMs: number;
  /** By how much the longest delay grows with each attempt. */
  readonly factor: number;
}

/**
 * With a factor of 4 the four delays reach at most 0.2, 0.8, 3.2 and 10 s: a deadlock is over after
 * the first, and a server that restarts has 7 s on average to come back. A factor of 2 would give up
 * on that server within a second.
 */
export const RETRY_POLICY: RetryPolicy = {
  minMs: LIMITS.retryDelayMsMin,
  maxMs: LIMITS.retryDelayMsMax,
  factor: 4,
};

/**
 * Milliseconds to wait after the failure of `attempt` (1 for the first): anywhere between the least
 * delay and an exponentially growing one (full jitter), so that units that failed together do not
 * come back together. `random` returns 0 to 1, as Math.random does.
 */
export function delayMs(attempt: number, policy: RetryPolicy, random: () => number): number {
  const longest = Math.min(policy.maxMs, policy.minMs * policy.factor ** attempt);
  return policy.minMs + random() * Math.max(0, longest - policy.minMs);
}
