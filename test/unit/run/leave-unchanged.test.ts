import { expect, it } from 'vitest';
import { timedBy } from '../../../src/run/leave-unchanged.ts';
import type { UnitOutcome } from '../../../src/run/unit-outcome.ts';
import { filePlan } from '../plan/fixtures.ts';

const FILES = [100, 300, 600].map((bytes, ordinal) => filePlan(ordinal, { bytes }));
const UNITS = [[0, 1], [2]].map((files, ordinal) => ({
  ordinal,
  files,
  part: null,
  estimatedRows: 10,
  bytes: 0,
  range: null,
}));

function outcome(unit: number, stageMs: number): UnitOutcome {
  const merged = { files: [], failure: null, stageMs, mergeMs: 5 };
  return {
    unit,
    status: 'merged',
    merged: merged as unknown as UnitOutcome['merged'],
    failure: null,
    attempts: 1,
    waitMs: 0,
  };
}

it('shares the time of the comparison out by the bytes of the units', () => {
  const timed = timedBy({ files: FILES, units: UNITS }, 2_000);
  expect(timed(outcome(0, 10)).merged).toMatchObject({ stageMs: 10 + 800, mergeMs: 5 });
  expect(timed(outcome(1, 20)).merged).toMatchObject({ stageMs: 20 + 1_200 });
});

it('leaves alone what was not merged', () => {
  const failed = { ...outcome(1, 20), merged: null };
  expect(timedBy({ files: FILES, units: UNITS }, 2_000)(failed)).toEqual(failed);
});
