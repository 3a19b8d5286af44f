import { delayMs, RETRY_POLICY } from '../conflict/retry-policy.ts';
import type { ErrorRecord } from '../errors.ts';
import type { RangeOptions } from './range-options.ts';

/** A try that has failed, and of which file it is told. */
interface FailedTry {
  readonly file: number;
  /** 1 for the first. */
  readonly attempt: number;
  readonly error: ErrorRecord;
}

/** Tells that the next try follows, and waits for it as the retry policy says, or until `stop` is aborted. */
export async function waitToRetry(
  {
    random,
    sleep,
    onEvent,
    loadIndex,
  }: Pick<RangeOptions, 'random' | 'sleep' | 'onEvent' | 'loadIndex'>,
  { file, attempt, error }: FailedTry,
  stop: AbortSignal,
): Promise<void> {
  const delay = delayMs(attempt, RETRY_POLICY, random);
  const next = { file, attempt: attempt + 1, delayMs: delay, error };
  onEvent({ kind: 'unit-retried', load: loadIndex, ...next });
  await sleep(delay, stop);
}
