import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createAdmission,
  type Admission,
  type AdmissionOptions,
} from '../../../src/conflict/admission.ts';
import type { KeyRange } from '../../../src/conflict/key-range.ts';
import { LIMITS } from '../../../src/limits.ts';

const range = (min: number, max: number): KeyRange => ({
  kind: 'integer',
  min: String(min),
  max: String(max),
});
const keys = (...values: number[]): Float64Array => Float64Array.from(values);

/** Admission over as many units as there are hints; the first `started` of them are started. */
function admissionOf(
  hints: readonly (KeyRange | null)[],
  options: Partial<AdmissionOptions> & { readonly started?: number } = {},
): Admission {
  const admission = createAdmission({
    units: hints.map((rangeHint) => ({ rangeHint })),
    conflicts: [],
    mode: 'prove',
    keysMax: 1_000,
    ...options,
  });
  for (let unit = 0; unit < (options.started ?? hints.length); unit += 1) admission.started(unit);
  return admission;
}

describe('proofs', () => {
  it('admits the first unit at once, and a later one before an earlier one is staged never', () => {
    const admission = admissionOf([null, null]);
    expect(admission.staged(1, { rows: 5, range: range(1, 5) })).toEqual({ keysWanted: true });
    admission.keys(1, keys(1, 2));
    expect(admission.admit()).toEqual([]);
    expect(admission.blockedBy(1)).toBe(0);
    admission.staged(0, { rows: 5, range: null });
    expect(admission.blockedBy(0)).toBe(null);
    admission.keys(0, keys(2));
    expect(admission.admit()).toEqual([0]);
    expect(admission.admit()).toEqual([]);
    admission.merged(0);
    expect(admission.admit()).toEqual([1]);
  });

  it('goes by exact ranges where they do not meet, and asks for no keys then', () => {
    const admission = admissionOf([range(0, 9), range(10, 19)]);
    expect(admission.staged(1, { rows: 5, range: range(10, 19) }).keysWanted).toBe(false);
    expect(admission.admit()).toEqual([]);
    expect(admission.staged(0, { rows: 5, range: range(0, 9) }).keysWanted).toBe(false);
    expect(admission.admit()).toEqual([0, 1]);
  });

  it('waits where the hint was wrong, whatever was promised', () => {
    const admission = admissionOf([range(0, 9), range(10, 19)]);
    expect(admission.staged(1, { rows: 5, range: range(10, 19) }).keysWanted).toBe(false);
    expect(admission.staged(0, { rows: 5, range: range(0, 10) }).keysWanted).toBe(false);
    expect(admission.admit()).toEqual([0]);
    expect(admission.blockedBy(1)).toBe(0);
    admission.merged(0);
    expect(admission.admit()).toEqual([1]);
  });

  it('lets keys decide where ranges meet or cannot be compared', () => {
    for (const facts of [
      { rows: 2, range: range(0, 9) },
      { rows: 2, range: null },
    ]) {
      const admission = admissionOf([null, null, null]);
      for (const unit of [0, 1, 2]) expect(admission.staged(unit, facts).keysWanted).toBe(true);
      admission.keys(0, keys(1, 5));
      admission.keys(2, keys(2, 5));
      admission.keys(1, keys(2, 9));
      expect(admission.admit()).toEqual([0, 1]);
      expect(admission.blockedBy(2)).toBe(0);
      admission.merged(0);
      expect(admission.blockedBy(2)).toBe(1);
    }
  });

  it('lets a unit without rows pass, and be passed', () => {
    const admission = admissionOf([null, null, null], {
      conflicts: [
        { before: 0, after: 1 },
        { before: 1, after: 2 },
      ],
    });
    expect(admission.staged(1, { rows: 0, range: null }).keysWanted).toBe(false);
    expect(admission.admit()).toEqual([1]);
    admission.staged(2, { rows: 1, range: null });
    admission.keys(2, keys(1));
    expect(admission.blockedBy(2)).toBe(0);
    admission.staged(0, { rows: 0, range: null });
    expect(admission.admit()).toEqual([0, 2]);
  });

  it('exports no keys for a predicted conflict, unless for others; ranges may still refute it', () => {
    const conflicts = [
      { before: 0, after: 1 },
      { before: 0, after: 2 },
    ];
    const admission = admissionOf([null, null, null], { conflicts });
    admission.staged(0, { rows: 1, range: range(1, 1) });
    expect(admission.staged(1, { rows: 1, range: range(1, 1) }).keysWanted).toBe(true);
    admission.keys(1, keys(7));
    expect(admission.staged(2, { rows: 1, range: range(2, 2) }).keysWanted).toBe(false);
    expect(admission.admit()).toEqual([0, 2]);
    expect(admission.blockedBy(1)).toBe(0);
  });
});

describe('a prediction that is wrong', () => {
  it('is overruled by keys that are held for the sake of others', () => {
    const admission = admissionOf([null, null, null], { conflicts: [{ before: 0, after: 1 }] });
    for (const unit of [0, 1, 2]) {
      expect(admission.staged(unit, { rows: 1, range: null }).keysWanted).toBe(true);
      admission.keys(unit, keys(unit));
    }
    expect(admission.admit()).toEqual([0, 1, 2]);
  });
});

describe('modes', () => {
  it('ordered: each waits for all earlier ones, even without rows, and keys are never wanted', () => {
    const admission = admissionOf([null, null, null], { mode: 'ordered' });
    for (const unit of [2, 1, 0]) {
      expect(admission.staged(unit, { rows: 0, range: null }).keysWanted).toBe(false);
    }
    expect(admission.admit()).toEqual([0]);
    expect(admission.blockedBy(2)).toBe(0);
    admission.merged(0);
    expect(admission.admit()).toEqual([1]);
  });

  it('free: nobody waits', () => {
    const admission = admissionOf([null, null], { mode: 'free' });
    expect(admission.staged(1, { rows: 3, range: null }).keysWanted).toBe(false);
    expect(admission.admit()).toEqual([1]);
  });
});

describe('keys wanted', () => {
  it('for a unit that comes later, unless a conflict is predicted or the hint says otherwise', () => {
    const wanted = (
      hint: KeyRange | null,
      conflicts: AdmissionOptions['conflicts'] = [],
    ): boolean =>
      admissionOf([null, hint], { conflicts, started: 1 }).staged(0, {
        rows: 1,
        range: range(1, 1),
      }).keysWanted;
    expect(wanted(null)).toBe(true);
    expect(wanted(range(1, 2))).toBe(true);
    expect(wanted(range(2, 2))).toBe(false);
    expect(wanted(null, [{ before: 0, after: 1 }])).toBe(false);
  });

  it('not where no other unit is left', () => {
    expect(admissionOf([null]).staged(0, { rows: 1, range: null }).keysWanted).toBe(false);
  });

  it('not for units too far ahead to meet this one', () => {
    const far = Array.from({ length: LIMITS.admissionLookaheadUnitsMax + 1 }, () => range(9, 9));
    const facts = { rows: 1, range: range(1, 1) };
    expect(admissionOf([null, ...far, null], { started: 1 }).staged(0, facts).keysWanted).toBe(
      false,
    );
    expect(
      admissionOf([null, ...far.slice(2), null], { started: 1 }).staged(0, facts).keysWanted,
    ).toBe(true);
  });

  it('not where the other one has none and never will, or merges already', () => {
    const admission = admissionOf([null, range(5, 5), null], { keysMax: 2 });
    expect(admission.staged(0, { rows: 3, range: null }).keysWanted).toBe(false);
    expect(admission.staged(1, { rows: 0, range: null }).keysWanted).toBe(false);
    expect(admission.staged(2, { rows: 1, range: null }).keysWanted).toBe(false);
  });

  it('not beyond the bound, which counts keys on their way, and counts them back', () => {
    const admission = admissionOf([null, null, null], { keysMax: 5 });
    expect(admission.staged(0, { rows: 3, range: null }).keysWanted).toBe(true);
    expect(admission.staged(1, { rows: 3, range: null }).keysWanted).toBe(false);
    admission.keys(0, keys(1, 2));
    expect(admission.keysHeld()).toBe(2);
    expect(admission.staged(2, { rows: 3, range: null }).keysWanted).toBe(true);
    expect(admission.keysHeld()).toBe(5);
    admission.unstaged(2);
    admission.merged(0);
    expect(admission.keysHeld()).toBe(0);
  });

  it('counts the keys of a unit whose rows have more than one', () => {
    const admission = admissionOf([null, null], { keysMax: 5 });
    expect(admission.staged(0, { rows: 3, keys: 6, range: null }).keysWanted).toBe(false);
    expect(admission.staged(1, { rows: 3, keys: 4, range: null }).keysWanted).toBe(false);
    admission.unstaged(0);
    expect(admission.staged(0, { rows: 2, keys: 4, range: null }).keysWanted).toBe(false);
  });

  it('are none that could clear nobody but a later unit that is merging', () => {
    const admission = admissionOf([null, null]);
    const facts = { rows: 2, range: range(0, 9) };
    for (const unit of [0, 1]) admission.staged(unit, facts);
    admission.keys(0, keys(1, 5));
    admission.keys(1, keys(2, 7));
    expect(admission.admit()).toEqual([0, 1]);
    admission.unstaged(0);
    expect(admission.staged(0, facts).keysWanted).toBe(false);
  });
});

describe('direct units', () => {
  const copied = { rows: 1, range: null, direct: true };
  const stagedAgain = { rows: 1, range: range(1, 1), direct: false };

  it('are cleared for each other once both are staged, and need no keys', () => {
    const admission = admissionOf([null, null]);
    expect([admission.direct(0), admission.direct(1)]).toEqual([true, true]);
    expect(admission.staged(1, copied).keysWanted).toBe(false);
    expect([admission.admit(), admission.blockedBy(1)]).toEqual([[], 0]);
    admission.staged(0, copied);
    expect([admission.revoked(), admission.admit()]).toEqual([[], [0, 1]]);
  });

  it('clear no unit that is staged before they have merged', () => {
    const admission = admissionOf([null, null]);
    admission.direct(0);
    admission.staged(0, copied);
    expect(admission.admit()).toEqual([0]);
    expect(admission.staged(1, stagedAgain).keysWanted).toBe(false);
    expect([admission.admit(), admission.blockedBy(1)]).toEqual([[], 0]);
    admission.merged(0);
    expect(admission.admit()).toEqual([1]);
  });

  it('may not be where an earlier live unit is not', () => {
    const admission = admissionOf([null, null, null]);
    expect([admission.direct(1), admission.direct(2)]).toEqual([false, false]);
    admission.unstaged(1);
    admission.merged(0);
    expect([admission.direct(1), admission.direct(2)]).toEqual([true, true]);
  });

  it('are revoked where an earlier one falls back, which waits until they are gone', () => {
    const admission = admissionOf([null, null, null]);
    for (const unit of [0, 1, 2]) admission.direct(unit);
    admission.staged(2, copied);
    expect(admission.revoked()).toEqual([]);
    admission.staged(0, stagedAgain);
    expect([admission.admit(), admission.blockedBy(0)]).toEqual([[], 1]);
    expect(admission.revoked()).toEqual([2]);
    admission.unstaged(2);
    admission.staged(1, copied);
    expect([admission.admit(), admission.revoked()]).toEqual([[], [1]]);
    admission.unstaged(1);
    expect([admission.revoked(), admission.admit()]).toEqual([[], [0]]);
  });

  it('are never revoked where nothing is ordered', () => {
    const admission = admissionOf([null, null], { mode: 'free' });
    for (const unit of [0, 1]) admission.direct(unit);
    admission.staged(1, copied);
    admission.staged(0, stagedAgain);
    expect([admission.revoked(), admission.admit()]).toEqual([[], [0, 1]]);
  });
});

describe('retries and failures', () => {
  it('voids the facts of a unit whose session is lost, and what was proved with them', () => {
    const admission = admissionOf([null, null, null]);
    for (const unit of [0, 1, 2]) admission.staged(unit, { rows: 1, range: null });
    for (const unit of [0, 1]) admission.keys(unit, keys(unit));
    expect(admission.admit()).toEqual([0, 1]);
    admission.keys(2, keys(1));
    expect(admission.blockedBy(2)).toBe(1);
    admission.unstaged(0);
    expect(admission.blockedBy(2)).toBe(0);
    expect(admission.staged(0, { rows: 1, range: null }).keysWanted).toBe(true);
    expect(admission.admit()).toEqual([]);
    admission.keys(0, keys(1));
    expect(admission.admit()).toEqual([0]);
    admission.merged(1);
    expect(admission.blockedBy(2)).toBe(0);
  });

  it('takes a merge that the ledger tells of, in any state', () => {
    const admission = admissionOf([null, null]);
    admission.staged(1, { rows: 1, range: null });
    admission.keys(1, keys(1));
    admission.merged(0);
    expect(admission.admit()).toEqual([1]);
  });

  it('admits no later unit after a failure, but lets earlier and merging ones go on', () => {
    const admission = admissionOf([null, null, null, null, null], { started: 4 });
    for (const unit of [1, 2, 3]) admission.staged(unit, { rows: 1, range: range(unit, unit) });
    admission.keys(1, keys(1));
    admission.keys(2, keys(2));
    admission.keys(3, keys(3));
    admission.failed(2);
    expect(admission.cancelled()).toEqual([3]);
    expect([1, 2, 3, 4].map((unit) => admission.barred(unit))).toEqual([false, false, true, true]);
    admission.staged(0, { rows: 1, range: range(0, 0) });
    admission.keys(0, keys(0));
    // Unit 2 failed in part: what is staged of it may still merge.
    expect(admission.admit()).toEqual([0, 1, 2]);
    admission.failed(1);
    expect(admission.cancelled()).toEqual([3]);
    admission.unstaged(2);
    expect(admission.cancelled()).toEqual([2, 3]);
    admission.merged(0);
    admission.merged(1);
    expect(admission.admit()).toEqual([]);
  });
});

describe('assertions', () => {
  it.each<[string, (admission: Admission) => void]>([
    ['units start in order', (admission) => admission.started(0)],
    [
      'there is no unit beyond the last',
      (admission) => {
        admission.started(1);
        admission.started(2);
      },
    ],
    ['only started units are staged', (admission) => admission.staged(1, { rows: 1, range: null })],
    [
      'a unit is staged once',
      (admission) => {
        admission.staged(0, { rows: 1, range: null });
        admission.staged(0, { rows: 1, range: null });
      },
    ],
    ['keys were wanted', (admission) => admission.keys(0, keys(1))],
    [
      'keys are sorted',
      (admission) => {
        admission.staged(0, { rows: 2, range: null });
        admission.keys(0, keys(2, 1));
      },
    ],
    [
      'keys are no more than rows',
      (admission) => {
        admission.staged(0, { rows: 1, range: null });
        admission.keys(0, keys(1, 2));
      },
    ],
    ['rows are counted', (admission) => admission.staged(0, { rows: NaN, range: null })],
    ['only a live unit fails', (admission) => admission.failed(1)],
  ])('%s', (_, misuse) => {
    expect(() => misuse(admissionOf([null, null], { started: 1 }))).toThrow(/ETL_INTERNAL/);
  });

  it('a conflict leads to a later unit', () => {
    expect(() => admissionOf([null, null], { conflicts: [{ before: 1, after: 1 }] })).toThrow(
      /ETL_INTERNAL/,
    );
  });
});

describe('any order of events', () => {
  const cases = fc.record({
    units: fc.array(
      fc.record({
        keys: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 4 }),
        hinted: fc.constantFrom('true', 'wrong', 'none'),
        comparable: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    keysMax: fc.constantFrom(0, 4, 100),
    edgeBits: fc.nat(),
    moves: fc.array(fc.tuple(fc.nat(5), fc.constantFrom('go', 'go', 'go', 'go', 'lose', 'fail')), {
      maxLength: 60,
    }),
  });

  it('admits a unit only if all earlier unmerged ones share no key with it, and ends', () => {
    fc.assert(
      fc.property(cases, ({ units, keysMax, edgeBits, moves }) => {
        const sets = units.map((unit) => Float64Array.from(unit.keys).sort());
        const rangeOf = (set: Float64Array) => range(set[0] ?? 0, set.at(-1) ?? 0);
        const conflicts = units.flatMap((_, after) =>
          Array.from({ length: after }, (__, before) => ({ before, after })).filter(
            ({ before }) => ((edgeBits >> ((after * 5 + before) % 31)) & 1) === 1,
          ),
        );
        const hints = units.map(({ hinted }, unit) =>
          hinted === 'none'
            ? null
            : hinted === 'wrong'
              ? range(99, 99)
              : rangeOf(sets[unit] ?? keys()),
        );
        const admission = admissionOf(hints, { keysMax, conflicts });
        const phase = units.map(() => 'staging');
        let bar = Infinity;

        const judge = (): void => {
          for (const unit of admission.admit()) {
            expect(phase[unit]).toBe('ready');
            expect(unit).toBeLessThanOrEqual(bar);
            for (let earlier = 0; earlier < unit; earlier += 1) {
              if (phase[earlier] === 'merged') continue;
              const shared = units[unit]?.keys.filter((key) => units[earlier]?.keys.includes(key));
              expect(shared).toEqual([]);
            }
            phase[unit] = 'merging';
          }
          expect(admission.keysHeld()).toBeLessThanOrEqual(keysMax);
        };
        const move = (unit: number, kind: string): void => {
          if (phase[unit] === 'merged' || phase[unit] === undefined) return;
          const set = sets[unit] ?? keys();
          if (kind === 'lose') {
            admission.unstaged(unit);
            phase[unit] = 'staging';
          } else if (kind === 'fail') {
            admission.failed(unit);
            bar = Math.min(bar, unit);
          } else if (phase[unit] === 'staging') {
            const facts = {
              rows: set.length,
              range: units[unit]?.comparable === true ? rangeOf(set) : null,
            };
            phase[unit] = admission.staged(unit, facts).keysWanted ? 'exporting' : 'ready';
          } else if (phase[unit] === 'exporting') {
            admission.keys(unit, set);
            phase[unit] = 'ready';
          } else if (phase[unit] === 'merging') {
            admission.merged(unit);
            phase[unit] = 'merged';
          }
        };
        for (const [unit, kind] of moves) {
          move(unit, kind);
          judge();
        }
        // From here on everything goes well: all that is not barred must merge.
        for (let round = 0; round < units.length * 4; round += 1) {
          for (const unit of units.keys()) {
            move(unit, 'go');
            judge();
          }
        }
        for (const unit of units.keys()) if (unit <= bar) expect(phase[unit]).toBe('merged');
        const left = [...units.keys()].filter((unit) => phase[unit] !== 'merged');
        expect(admission.cancelled()).toEqual(left);
      }),
      { numRuns: 500 },
    );
  });
});
