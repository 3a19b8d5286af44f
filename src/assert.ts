import { EtlError } from './errors.ts';

/** Throws when something that our own code guarantees does not hold: a defect, never bad input. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) {
    throw new EtlError('ETL_INTERNAL', `Assertion failed: ${what}.`, 'Please report it.');
  }
}

/** The value, where our own code guarantees that there is one. */
export function present<T>(value: T | null | undefined, what: string): T {
  assert(value !== null && value !== undefined, `${what} is present`);
  return value;
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new EtlError(
    'ETL_INTERNAL',
    `Not reachable: ${JSON.stringify(value)}.`,
    'Please report it.',
  );
}
