import fc from 'fast-check';
import { shareOut } from '../../src/plan/direct-shares.ts';
import type { Plan } from '../../src/plan/plan-types.ts';

/** Random files of nearly sorted rows, for a table that holds other keys, or some of them. */
export const SHARE_COLUMNS = ['k', 'v', 'version'];

type RandomRow = readonly [string, string | null, string | null];

export interface RandomShares {
  readonly rows: readonly RandomRow[];
  /** Keys of the table. */
  readonly held: readonly number[];
  readonly lineEnd: string;
  readonly onConflict: 'update' | 'ignore' | 'newest';
  readonly concurrency: number;
  readonly prepared: boolean;
}

const VALUES = [
  ...[null, 'a', 'b', 'é漢', 'say "hi"', 'a\nb', '\r\n', '\\.', ''],
  // Lines of a quoted field that look like records of their own.
  ...['\n40,x,1\n41,x,1\n', '\r\n50,y,2\r\n51,y,2\r\n52,y,2\r\n', '\r60,z,\r61,z,\r'],
];

const randomCells = fc.tuple(
  fc.constantFrom(...VALUES),
  fc.constantFrom(null, '1', '2', '3'),
  fc.integer({ min: 1, max: 4 }),
);

/** Where a row goes out of order: the key that it has instead. */
const randomStray = fc.tuple(fc.nat({ max: 59 }), fc.integer({ min: 90, max: 220 }));

export const randomShares: fc.Arbitrary<RandomShares> = fc
  .record({
    cells: fc.array(randomCells, { minLength: 12, maxLength: 60, size: 'max' }),
    strays: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(randomStray, { maxLength: 2 }) },
    ),
    held: fc.oneof(
      { weight: 3, arbitrary: fc.constant([1, 2]) },
      { weight: 1, arbitrary: fc.uniqueArray(fc.integer({ min: 90, max: 220 }), { maxLength: 3 }) },
    ),
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    onConflict: fc.constantFrom('update' as const, 'ignore' as const, 'newest' as const),
    concurrency: fc.integer({ min: 2, max: 4 }),
    prepared: fc.boolean(),
  })
  .map(({ cells, strays, ...rest }) => {
    let key = 99;
    const rows = cells.map(([v, version, step]): RandomRow => [String((key += step)), v, version]);
    for (const [place, other] of strays) {
      const [, v = null, version = null] = rows[place] ?? [];
      if (place < rows.length) rows[place] = [String(other), v, version];
    }
    return { ...rest, rows };
  });

/** The plan of one file with shares for so many workers, whatever the sample says of its rows. */
export function sharesOf(plan: Plan, workers: number): Plan {
  const loads = plan.loads.map((load) => {
    const [column = ''] = load.key;
    const [file] = load.files;
    if (load.directShares !== undefined || file === undefined) return load;
    const { estimatedRows, bytes } = file;
    const direct = { column, from: null, before: null };
    const unit = { ordinal: 0, files: [0], part: null, estimatedRows, bytes, range: null, direct };
    const all = new Set([0]);
    const shares = shareOut([unit], load.files, { column, ordinals: all, rising: all }, workers);
    if (shares === null) return load;
    return { ...load, concurrency: Math.max(load.concurrency, workers), directShares: shares };
  });
  return { ...plan, loads };
}
