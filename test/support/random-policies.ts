import fc from 'fast-check';
import { randomLoad, type RandomLoad } from './random-load.ts';

/** A random load whose columns have parts of their own in the merge. */
export interface LoadWithPolicies extends RandomLoad {
  readonly onConflict: 'update' | 'newest';
  /** Empty: none. */
  readonly insertOnly: readonly string[];
  /** Empty: all columns. */
  readonly compare: readonly string[];
}

const VERSION = 'version';

/** At least one of both policies; none of what the job's checks refuse. */
export const randomPolicies: fc.Arbitrary<LoadWithPolicies> = randomLoad
  .chain((random) =>
    fc.record({
      random: fc.constant(random),
      roles: fc.array(fc.constantFrom('none', 'first', 'compared'), {
        minLength: random.values.length,
        maxLength: random.values.length,
      }),
    }),
  )
  .map(({ random, roles }): LoadWithPolicies => {
    const names = random.values.map((column) => column.name);
    const having = (role: string): string[] => names.filter((_, place) => roles[place] === role);
    if (random.onConflict === 'newest') {
      const insertOnly = having('first').filter((name) => name !== VERSION);
      return { ...random, onConflict: 'newest', insertOnly, compare: [] };
    }
    const chosen = having('compared');
    const comparesInAll = random.files.every((file) =>
      file.columns.some((name) => chosen.includes(name)),
    );
    // Each file must bring a compared column, and all bring the version.
    const compare =
      chosen.length === 0 || comparesInAll ? chosen : [...new Set([...chosen, VERSION])];
    const insertOnly = having('first').filter((name) => !compare.includes(name));
    return { ...random, onConflict: 'update', insertOnly, compare };
  })
  .filter(({ insertOnly, compare }) => insertOnly.length + compare.length > 0);
