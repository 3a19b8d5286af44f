import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { load } from '../support/load.ts';
import { useScene } from '../support/scene.ts';

const scene = useScene((table) => `create table ${table} (id integer primary key, name text)`);

const ROWS = 260_000;

/** 7 MB, which is read into two buffers of 1 MiB by turns; empty lines cut what is sent into pieces. */
function largeFile(): string {
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const name = row % 997 === 0 ? `"name\n${row}"` : `name of row ${row * 7}`;
    return `${(row * 7_919) % ROWS},${name}\n${row % 1_000 === 500 ? '\n' : ''}`;
  });
  return `id,name\n${lines.join('')}`;
}

/** What arithmetic says that the table holds. */
function expected(): string {
  const names = new Array<string>(ROWS);
  for (let row = 0; row < ROWS; row++) {
    names[(row * 7_919) % ROWS] = row % 997 === 0 ? `name\n${row}` : `name of row ${row * 7}`;
  }
  return createHash('md5').update(names.join(',')).digest('hex');
}

test.each(['full-parallel', 'partitioned'] as const)(
  'a file that is read into the same memory again and again (%s)',
  async (strategy) => {
    await scene.write({ 'f.csv': largeFile() });
    const loads = [{ table: scene.table, files: ['f.csv'], strategy }];
    const options = { cwd: scene.folder, partBytesMin: 1_500_000 };
    const { report } = await load(scene.db.url, { settings: { concurrency: 2 }, loads }, options);
    expect(report).toMatchObject({ status: 'loaded', loads: [{ totals: { inserted: ROWS } }] });
    const [row] = await scene.db.query(
      `select md5(string_agg(name, ',' order by id)) as names from ${scene.table}`,
    );
    expect(row?.['names']).toBe(expected());
  },
);
