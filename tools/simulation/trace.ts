import { mix } from './random.ts';

/** What happened, step by step: as text for people, and as one number for comparing runs. */
export interface Trace {
  add(atMs: number, unit: number, step: string): void;
  readonly lines: readonly string[];
  /** How often each step happened. */
  readonly counts: ReadonlyMap<string, number>;
  hash(): number;
}

export function createTrace(): Trace {
  const lines: string[] = [];
  const counts = new Map<string, number>();
  let hash = 0;
  return {
    lines,
    counts,
    add(atMs, unit, step) {
      const line = `${atMs.toFixed(3).padStart(12)} ms  unit ${unit}: ${step}`;
      lines.push(line);
      counts.set(step, (counts.get(step) ?? 0) + 1);
      for (let index = 0; index < line.length; index += 1) hash = mix(hash, line.charCodeAt(index));
    },
    hash: () => hash,
  };
}
