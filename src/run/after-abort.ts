import { mergedFromLedger } from '../load/merge-unit.ts';
import type { FilePlan, LoadPlan } from '../plan/plan-types.ts';
import { ledgerPath } from '../source/ledger-path.ts';
import type { Connection } from '../target/connect.ts';
import { entriesOfRun, type LedgerContext } from '../target/ledger.ts';
import type { UnitOutcome } from './unit-outcome.ts';

/**
 * An abort cuts the connections of the workers, and a COMMIT may have been on its way. Once their backends
 * are gone the ledger tells which of the units that nobody heard of again are in the table.
 */
export async function outcomesAfterAbort(
  coordinator: Connection,
  ledger: LedgerContext,
  load: LoadPlan,
  outcomes: readonly UnitOutcome[],
): Promise<UnitOutcome[]> {
  const unheard = outcomes.filter((outcome) => outcome.merged === null && outcome.attempts > 0);
  const paths = unheard.flatMap((outcome) => filesOf(load, outcome).map(ledgerPath));
  const entries = await entriesOfRun(coordinator, ledger, paths);
  return outcomes.map((outcome) => {
    if (!unheard.includes(outcome)) return outcome;
    const files = filesOf(load, outcome);
    const merged = mergedFromLedger(entries, files);
    if (merged.files.length === 0) return outcome;
    const whole = merged.files.length === files.length;
    return { ...outcome, merged, status: whole ? 'merged' : outcome.status };
  });
}

function filesOf(load: LoadPlan, { unit }: UnitOutcome): FilePlan[] {
  return (load.units[unit]?.files ?? []).flatMap((ordinal) => load.files[ordinal] ?? []);
}
