import { sumTargets } from '../load/merge-further.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { LoadReport, TargetReport } from './report-types.ts';
import type { UnitOutcome } from './unit-outcome.ts';

/** Counts of each further table; null where the ledger alone knows that a unit was merged. */
export function targetReports(
  { targets }: LoadPlan,
  outcomes: readonly UnitOutcome[],
): Pick<LoadReport, 'targets'> {
  if (targets === undefined) return {};
  const merged = outcomes.flatMap((outcome) => outcome.merged ?? []);
  const counts = sumTargets(
    targets.length,
    merged.filter(({ files }) => files.length > 0).map((unit) => unit.targets),
  );
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
