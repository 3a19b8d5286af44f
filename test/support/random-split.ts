import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { csvWithLineEnds } from './random-load.ts';

/** Random files with few keys, whose rows many parts share. */
export const SPLIT_COLUMNS = ['k', 'v', 'version'];

type RandomRow = readonly [string, string | null, string | null];

export interface RandomSplit {
  readonly files: readonly {
    readonly format: 'csv' | 'parquet';
    readonly rows: readonly RandomRow[];
    readonly rowGroup: number;
  }[];
  readonly lineEnd: string;
  readonly onConflict: 'update' | 'ignore' | 'newest';
  readonly concurrency: number;
  readonly checkSuperseded: boolean;
  readonly rows: number;
  readonly bytes: number;
}

export const randomSplit: fc.Arbitrary<RandomSplit> = fc.record({
  files: fc.array(
    fc.record({
      format: fc.constantFrom('csv', 'csv', 'parquet'),
      rows: fc.array(
        fc.tuple(
          fc.integer({ min: 0, max: 9 }).map(String),
          fc.constantFrom(null, 'a', 'b', 'é漢', 'say "hi"', 'a\nb', '\n\n9,x,1\n', '\r\n', '\\.'),
          fc.constantFrom(null, '1', '2', '3'),
        ),
        { maxLength: 40, size: 'max' },
      ),
      rowGroup: fc.integer({ min: 1, max: 8 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  onConflict: fc.constantFrom('update', 'ignore', 'newest'),
  concurrency: fc.integer({ min: 2, max: 4 }),
  checkSuperseded: fc.boolean(),
  rows: fc.integer({ min: 1, max: 5 }),
  bytes: fc.integer({ min: 1, max: 80 }),
});

export function contentOf(
  { format, rows, rowGroup }: RandomSplit['files'][number],
  lineEnd: string,
): string | Uint8Array {
  if (format === 'parquet') return parquetOf(rows, rowGroup);
  return csvWithLineEnds({ columns: SPLIT_COLUMNS, rows }, lineEnd);
}

function parquetOf(rows: readonly RandomRow[], rowGroupSize: number): Uint8Array {
  const number = (text: string | null): number | null => (text === null ? null : Number(text));
  const columnData = [
    { name: 'k', data: rows.map(([k]) => number(k)), type: 'INT32' as const },
    { name: 'v', data: rows.map(([, v]) => v), type: 'STRING' as const },
    { name: 'version', data: rows.map(([, , version]) => number(version)), type: 'INT32' as const },
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}
