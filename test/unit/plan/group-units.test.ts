import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { groupUnits } from '../../../src/plan/group-units.ts';
import type { FilePlan } from '../../../src/plan/plan-types.ts';
import { filePlan } from './fixtures.ts';

const layoutOf = (file: FilePlan) => file.targets.toSorted().join(',');
const SKIP = { runId: 'r', loadedAt: 't', rows: 1 };

function files(count: number, more: (i: number) => Partial<FilePlan>): FilePlan[] {
  return Array.from({ length: count }, (_, i) => filePlan(i, more(i)));
}

function grouped(all: readonly FilePlan[], concurrency: number) {
  return groupUnits(all, concurrency, layoutOf).map((unit) => unit.files);
}

describe('units of work', () => {
  const file = fc.record({
    bytes: fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: 3 * LIMITS.unitGroupBytesMax })),
    wide: fc.boolean(),
    skipped: fc.boolean(),
  });

  it('hold all files once, in order, within the limits, of one layout, and enough of them', () => {
    fc.assert(
      fc.property(
        fc.array(file, { maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        (drawn, c) => {
          const all = files(drawn.length, (i) => ({
            bytes: drawn[i]?.bytes ?? 0,
            targets: drawn[i]?.wide === true ? ['id', 'name'] : ['id'],
            skip: drawn[i]?.skipped === true ? SKIP : null,
          }));
          const loaded = all.filter((each) => each.skip === null);
          const units = groupUnits(all, c, layoutOf);
          expect(units.flatMap((unit) => unit.files)).toEqual(loaded.map((each) => each.ordinal));
          expect(units.map((unit) => unit.ordinal)).toEqual([...units.keys()]);
          expect(units.length).toBeGreaterThanOrEqual(Math.min(2 * c, loaded.length));
          for (const unit of units) {
            const own = unit.files.map((ordinal) => all[ordinal] ?? filePlan(0));
            expect(new Set(own.map(layoutOf)).size).toBe(1);
            expect(unit.bytes).toBe(own.reduce((sum, each) => sum + each.bytes, 0));
            expect(unit.files.length === 1 || unit.bytes <= LIMITS.unitGroupBytesMax).toBe(true);
          }
        },
      ),
    );
  });

  it('group small files, and keep large ones apart', () => {
    const large = LIMITS.unitGroupBytesMax;
    const all = files(10_000, (i) => ({ bytes: i === 5_000 ? large : 1_000 }));
    const units = grouped(all, 4);
    expect(units).toContainEqual([5_000]);
    expect(units.length).toBeLessThan(20);
    expect(Math.max(...units.map((unit) => unit.length))).toBe(LIMITS.unitGroupFilesMax);
  });

  it('leave two for each worker, of about the same size', () => {
    expect(
      grouped(
        files(16, () => ({})),
        4,
      ),
    ).toEqual([0, 2, 4, 6, 8, 10, 12, 14].map((first) => [first, first + 1]));
    expect(
      grouped(
        files(3, () => ({})),
        4,
      ),
    ).toEqual([[0], [1], [2]]);
  });

  it('add up rows, bytes and ranges', () => {
    const range = (min: string, max: string) => ({ range: { kind: 'integer', min, max } as const });
    const [unit] = groupUnits(
      [...files(4, (i) => range(String(9 - i), String(10 + i)))],
      1,
      () => 'x',
    );
    expect(unit).toEqual({
      ordinal: 0,
      files: [0, 1],
      part: null,
      estimatedRows: 200,
      bytes: 2_000,
      range: { kind: 'integer', min: '8', max: '11' },
    });
    const mixed = [filePlan(0, range('1', '2')), filePlan(1)];
    expect(groupUnits([...mixed, ...mixed], 1, () => 'x')[0]?.range).toBeNull();
  });
});
