import type { LoadRequest, Strategy } from '../job/schema.ts';
import type { Coupling } from '../target/table.ts';
import type { FilePlan } from './plan-types.ts';

export interface ObstacleFacts {
  readonly onConflict: LoadRequest['onConflict'];
  readonly deterministic: boolean;
  readonly couplings: readonly Coupling[];
  /** Whether all files to be loaded bring the same columns of the table. */
  readonly sameColumns: boolean;
}

/**
 * Why a strategy cannot keep the promise for this load; null where it can. `full-parallel` and
 * `hybrid` prove what they do not predict, so only couplings between rows of different keys stop
 * them, and these only as long as the job wants its result to be certain.
 */
export function obstacleTo(strategy: Strategy, facts: ObstacleFacts): string | null {
  if (strategy === 'sequential') return null;
  const coupling = facts.deterministic ? facts.couplings[0] : undefined;
  if (coupling !== undefined) return coupling.sentence;
  if (strategy !== 'partitioned') return null;
  if (facts.onConflict === 'append') return 'append has no key to divide the work by';
  const unhashable = facts.couplings.find((each) => each.kind === 'key not hashable');
  if (unhashable !== undefined) return unhashable.sentence;
  return facts.sameColumns
    ? null
    : 'the files bring different columns, and one winning row per key would lose what an earlier file brought';
}

/** Whether all files bring the same columns of the table, in whatever order. */
export function bringSameColumns(files: readonly Pick<FilePlan, 'targets'>[]): boolean {
  const sets = files.map(({ targets }) =>
    JSON.stringify(targets.filter((target) => target !== null).sort()),
  );
  return new Set(sets).size < 2;
}
