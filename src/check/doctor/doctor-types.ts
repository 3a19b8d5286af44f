/** What `etl doctor --json` prints. Plain JSON. */
export interface DoctorReport {
  readonly version: 1;
  /** Whether no check failed. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

export interface Check {
  readonly name: string;
  /** skip: there is nothing to check, or no way to see it. */
  readonly state: 'pass' | 'warn' | 'fail' | 'skip';
  readonly sentence: string;
  /** Empty unless there is something to do. */
  readonly remedy: string;
}

export function pass(name: string, sentence: string): Check {
  return { name, state: 'pass', sentence, remedy: '' };
}

export function skip(name: string, sentence: string): Check {
  return { name, state: 'skip', sentence, remedy: '' };
}

export function warn(name: string, sentence: string, remedy: string): Check {
  return { name, state: 'warn', sentence, remedy };
}

export function fail(name: string, sentence: string, remedy: string): Check {
  return { name, state: 'fail', sentence, remedy };
}
