import { assert, present } from '../assert.ts';
import { createAdmission } from '../conflict/admission.ts';
import { LIMITS } from '../limits.ts';
import { createAdmissionGate } from './file-pipeline-gate.ts';
import type { FilePipelineOptions, PipelineLoad } from './file-pipeline-options.ts';
import { runUnit } from './file-pipeline-unit.ts';
import type { UnitOutcome } from './unit-outcome.ts';

/**
 * Loads the units of one load: each is staged in a session of its own, waits for admission outside
 * any transaction, and merges; one that is copied into the table directly waits inside of its own. One
 * outcome per unit, in order of precedence. What the data, the server or an abort does to a unit is in
 * its outcome; the promise rejects only for a defect, and settles only once every session is closed.
 *
 * Units run in `concurrency` lanes. A lane takes the next unit in order of precedence, sees it to its
 * end, retries and their delays included, and only then takes another: so no more sessions are open
 * than lanes exist, and each unmerged unit that is earlier than a running one has a lane, too.
 *
 * That is why nothing waits for ever: consider the lowest unit that has not ended. All lower units
 * have ended, and they merged (then nothing is in its way, admission only looks at lower ones) or
 * one of them failed (then it is barred, and the gate stops it). Its steps end by themselves, its
 * tries are bounded, and it never waits for a lane, having one. So it ends, and the next is lowest.
 *
 * A unit that fails bars the later ones, except those that are merging: they were proved to share no
 * key with it. Earlier ones go on. An abort stops all, closes their sessions, and starts no more.
 */
export async function runFilePipeline(options: FilePipelineOptions): Promise<UnitOutcome[]> {
  const { load, signal, concurrency } = options;
  assert(Number.isInteger(concurrency) && concurrency >= 1, 'there is at least one lane');
  const admission = createAdmission({
    units: load.units.map((unit) => ({ rangeHint: unit.range })),
    conflicts: load.conflicts,
    mode: options.admissionMode,
    keysMax: options.keysMax ?? LIMITS.admissionKeysMax,
  });
  const gate = createAdmissionGate({
    admission,
    onBlocked: (unit, blocker) => {
      const forFile = present(filesOf(load, blocker)[0], 'the first file of a unit');
      for (const file of filesOf(load, unit)) {
        options.onEvent({ kind: 'file-waiting', load: options.loadIndex, file, forFile });
      }
    },
  });
  const outcomes: UnitOutcome[] = load.units.map(({ ordinal }) => notStarted(ordinal));
  const remaining = load.units.values();

  const lane = async (): Promise<void> => {
    try {
      for (const unit of remaining) {
        if (gate.closed(unit.ordinal)) return;
        const outcome = await runUnit(unit, options, gate);
        outcomes[unit.ordinal] = outcome;
        options.onOutcome?.(outcome);
      }
    } catch (defect) {
      // The other lanes may wait for this one: they end, too, before the defect is told.
      gate.stopAll();
      throw defect;
    }
  };

  signal.addEventListener('abort', gate.stopAll, { once: true });
  try {
    if (signal.aborted) gate.stopAll();
    const lanes = Array.from({ length: concurrency }, lane);
    const ends = await Promise.allSettled(lanes);
    for (const end of ends) {
      if (end.status === 'rejected') throw end.reason;
    }
  } finally {
    signal.removeEventListener('abort', gate.stopAll);
  }
  return outcomes;
}

function filesOf(load: PipelineLoad, unit: number): readonly number[] {
  return present(load.units[unit], `unit ${unit}`).files;
}

function notStarted(unit: number): UnitOutcome {
  return { unit, status: 'not-loaded', merged: null, failure: null, attempts: 0, waitMs: 0 };
}
