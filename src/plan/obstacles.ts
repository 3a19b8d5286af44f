import type { LoadRequest, Strategy } from '../job/schema.ts';
import type { Coupling } from '../target/table.ts';
import type { FilePlan } from './plan-types.ts';

export interface ObstacleFacts {
  readonly onConflict: LoadRequest['onConflict'];
  readonly deterministic: boolean;
  readonly couplings: readonly Coupling[];
  /** Whether all files to be loaded bring the same columns of the table. */
  readonly sameColumns: boolean;
  /** Whether the rows go to more than one table. */
  readonly severalTables?: boolean;
  /** Whether rows that change nothing are left out before anything is sent. */
  readonly comparesFirst?: boolean;
  /** Whether rows that another one supersedes are judged as well; see rejectUnfit. */
  readonly judgesAllRows?: boolean;
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
  if (facts.severalTables === true) {
    return 'the rows go to several tables, which only a merge of whole files writes in one transaction';
  }
  if (facts.comparesFirst === true) {
    return 'most rows seem to change nothing and are not sent, which leaves too little to divide';
  }
  if (facts.judgesAllRows === true) {
    return 'with insertOnly or compare, bad rows are looked for before each merge of whole files';
  }
  if (facts.onConflict === 'append') return 'append has no key to divide the work by';
  const unhashable = facts.couplings.find((each) => each.kind === 'key not hashable');
  if (unhashable !== undefined) return unhashable.sentence;
  return facts.sameColumns
    ? null
    : 'the files bring different columns, and one winning row per key would lose what an earlier file brought';
}

/** Whether all files bring the same columns of the table, in whatever order. */
export function bringSameColumns(files: readonly Pick<FilePlan, 'targets'>[]): boolean {
  // Many files share a mapping: those with the same header, and all documents.
  const mappings = [...new Set(files.map(({ targets }) => targets))];
  const sets = mappings.map((targets) =>
    JSON.stringify(targets.filter((target) => target !== null).sort()),
  );
  return new Set(sets).size < 2;
}
