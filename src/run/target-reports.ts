import { sumTargets } from '../load/merge-further.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { LoadReport, TargetReport } from './report-types.ts';
import type { UnitOutcome } from './unit-outcome.ts';

/** Counts of each further table; null where the ledger alone knows that a unit was merged. */
export function targetReports(
  load: Pick<LoadPlan, 'targets'>,
  outcomes: readonly UnitOutcome[],
): Pick<LoadReport, 'targets'> {
  const merged = outcomes.flatMap((outcome) => outcome.merged ?? []);
  return reportTargets(
    load,
    merged.filter(({ files }) => files.length > 0).map((unit) => unit.targets),
  );
}

/** `merges`: the counts of each merge, table by table. */
export function reportTargets(
  { targets }: Pick<LoadPlan, 'targets'>,
  merges: Parameters<typeof sumTargets>[1],
): Pick<LoadReport, 'targets'> {
  if (targets === undefined) return {};
  const counts = sumTargets(targets.length, merges);
  return {
    targets: targets.map(({ table }, index): TargetReport => ({
      table: table.sqlName,
      ...(counts?.[index] ?? NOT_KNOWN),
    })),
  };
}

const NOT_KNOWN = {
  inserted: null,
  updated: null,
  unchanged: null,
  superseded: null,
  filtered: null,
} as const;
