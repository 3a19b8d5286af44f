import { expect, test } from 'vitest';
import {
  customerAt,
  FILES,
  HEADERS,
  OVERLAPS,
  type Overlap,
} from '../../examples/parallel-upsert/generate.ts';
import { example } from '../../examples/parallel-upsert/run.ts';
import { runSmall } from '../support/example-scene.ts';

const ROWS_PER_FILE = 2_000;

/** The same six files by every road; each table is compared row by row. */
test('three CSV and three Parquet files leave what loading them one by one leaves', async () => {
  await runSmall(example, async ({ db, figures }) => {
    const contents = async (table: string): Promise<unknown> => {
      const [row] = await db.query(
        `select json_agg(json_build_array(${HEADERS.join(', ')}) order by id) as rows
           from ${table} where id > 0`,
      );
      return row?.['rows'];
    };
    for (const overlap of OVERLAPS) {
      expect(await contents(`customers_${overlap}`)).toEqual(oneByOne(overlap));
    }
    const expected = oneByOne('some');
    const others = ['coupled', 'full_parallel', 'hybrid', 'sequential', 'partitioned', 'from_code'];
    for (const name of others) expect(await contents(`customers_${name}`)).toEqual(expected);
    expect(figures.map(({ what }) => what)).toEqual(
      expect.arrayContaining([expect.stringContaining('sequential'), '  memory at most']),
    );
    expect(figures.filter(({ reported }) => reported !== undefined)).toHaveLength(2);
  });
}, 300_000);

function oneByOne(overlap: Overlap): unknown[] {
  const customers = { seed: 1, rowsPerFile: ROWS_PER_FILE, overlap };
  const byId = new Map<number, unknown[]>();
  for (const [file] of FILES.entries()) {
    for (let place = 0; place < ROWS_PER_FILE; place++) {
      const customer = customerAt(customers, file, place);
      byId.set(
        customer.id,
        HEADERS.map((name) => customer[name]),
      );
    }
  }
  return [...byId].sort(([a], [b]) => a - b).map(([, row]) => row);
}
