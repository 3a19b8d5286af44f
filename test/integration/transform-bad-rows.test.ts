import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { load } from '../support/load.ts';
import { readRejects } from '../support/rejects.ts';
import { rowsOf } from '../support/table-pair.ts';
import { parquetOf } from '../support/twin-files.ts';
import { SCORE, useTransforms } from '../support/transform-scene.ts';

/** Rows that a transform rejects, and transforms that do not do what they say. */
const { place, run } = useTransforms();

describe('a bad row', () => {
  const PICKY = `export default {
    columns: ['score'],
    transform: (rows, _, { reject }) => rows.map(({ name }) => {
      if (name === null) return reject('no name to score');
      if (name === 'throws') throw new TypeError('cannot score');
      return { score: name.length };
    }),
  }`;

  it('stops its file, and is told by its line', async () => {
    const files = { 'f.csv': 'id,name\n1,"a\nb"\n2,\n' };
    const { report, table } = await run(PICKY, { files });
    expect(report.status).toBe('failed');
    expect(report.loads[0]?.files[0]?.error).toMatchObject({
      code: 'ETL_TRANSFORM',
      sentence: 'no name to score.',
      facts: { file: `${table}-f.csv`, line: 4 },
    });
    await expect(rowsOf(place, table)).resolves.toEqual([]);
  });

  it('is found where a batch throws, and told without a stack', async () => {
    const rows = Array.from({ length: 100 }, (_, id) => `${id},${id === 60 ? 'throws' : 'x'}\n`);
    const { report } = await run(PICKY, { files: { 'f.csv': `id,name\n${rows.join('')}` } });
    const error = report.loads[0]?.files[0]?.error;
    expect(error).toMatchObject({ code: 'ETL_TRANSFORM', facts: { line: 62 } });
    expect(error?.sentence).toBe('The transform failed: TypeError: cannot score.');
  });

  it.each([
    ['f.json', '[{"id":1,"name":"a"},\n\n{"id":2,"name":null}]', { line: 3, record: 2 }],
    ['f.parquet', null, { line: 2 }],
  ])('is told in the terms of %s', async (name, content, facts) => {
    const own = parquetOf([
      { name: 'id', type: { kind: 'integer', bits: 32, signed: true }, texts: ['1', '2'] },
      { name: 'name', type: { kind: 'string' }, texts: ['a', null] },
    ]);
    const { report } = await run(PICKY, { files: { [name]: content ?? own } });
    expect(report.loads[0]?.files[0]?.error).toMatchObject({ code: 'ETL_TRANSFORM', facts });
  });

  it('of the database is told by its line and column, too', async () => {
    const module = `export default {
      columns: ['score'],
      transform: (rows) => rows.map(({ name }) => ({ score: name })),
    }`;
    const { report } = await run(module, { files: { 'f.csv': 'id,name\n1,1.5\n2,"a\nb"\n3,x\n' } });
    expect(report.loads[0]?.files[0]?.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      facts: { line: 3, column: 'score', value: 'a\nb' },
    });
  });

  it.each(['auto', 'partitioned'])(
    'goes to the reject file as it stands there, and the others are loaded (%s)',
    async (strategy) => {
      const rejects = join(place.folder, `rejects-${strategy}`);
      const files = {
        'f.csv': 'id,name\n1,a\n2,\n3,throws\nx,c\n5,e,e\n6,f\n7,g\n7,\n',
        'g.csv': 'id,name\n1,last\n9,throws\n',
      };
      const { report, table } = await run(PICKY, {
        files,
        strategy,
        settings: { onError: 'quarantine', rejects, subBatchSize: 4 },
      });
      expect(report).toMatchObject({ status: 'rejected-rows', error: null });
      expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 10, rejected: 6 });
      await expect(rowsOf(place, table)).resolves.toEqual([
        { id: '1', name: 'last', score: '4' },
        { id: '6', name: 'f', score: '1' },
        { id: '7', name: 'g', score: '1' },
      ]);
      const rows = await readRejects(join(rejects, `${table}-f.csv.rejects.csv`));
      const threw = 'The transform failed: TypeError: cannot score.';
      expect(rows.map((row) => [row['etl_line'], row['etl_reason'], row['etl_raw']])).toEqual([
        ['3', 'no name to score.', '2,'],
        ['4', threw, '3,throws'],
        ['5', expect.stringContaining('invalid input syntax for type integer'), 'x,c'],
        ['6', expect.stringContaining('it has 3 fields, the header has 2'), '5,e,e'],
        ['9', 'no name to score.', '7,'],
      ]);
      expect(rows.map((row) => row['id'])).toEqual(['2', '3', 'x', '', '7']);
    },
  );

  it('does not send the others through the transform again', async () => {
    const counted = PICKY.replace('rows.map', '(globalThis.seen.push(...rows), rows).map');
    const seen: unknown[] = [];
    Object.assign(globalThis, { seen });
    const rows = Array.from({ length: 50 }, (_, id) => `${id},${id % 9 === 5 ? '' : 'x'}\n`);
    const { report } = await run(counted, {
      files: { 'f.csv': `id,name\n${rows.join('')}` },
      settings: { onError: 'quarantine', rejects: join(place.folder, 'rejects-once') },
    });
    expect(report.loads[0]?.totals).toMatchObject({ inserted: 45, rejected: 5 });
    expect(seen).toHaveLength(50);
  });

  it('ends its file where there are more than may be', async () => {
    const rejects = join(place.folder, 'rejects-many');
    const { report, table } = await run(PICKY, {
      files: { 'f.csv': 'id,name\n1,\n2,\n3,c\n' },
      settings: { onError: 'quarantine', rejects, maxErrors: 1 },
    });
    expect(report.loads[0]?.files[0]?.error).toMatchObject({ code: 'ETL_LIMIT' });
    await expect(rowsOf(place, table)).resolves.toEqual([]);
  });
});

describe('a transform that does not do what it says', () => {
  it.each(['stop', 'quarantine'])('fails the file, with onError %s', async (onError) => {
    const module = `export default { columns: ['score'], transform: (rows) => rows.slice(1) }`;
    const rejects = join(place.folder, `rejects-word-${onError}`);
    const { report, table } = await run(module, { settings: { onError, rejects } });
    expect(report.status).toBe('failed');
    expect(report.loads[0]?.files[0]?.error).toMatchObject({
      code: 'ETL_TRANSFORM',
      sentence: 'The transform cannot be used: it gave 3 rows for 4.',
    });
    await expect(rowsOf(place, table)).resolves.toEqual([]);
  });

  it('fails the files where it cannot be set up', async () => {
    const module = SCORE.replace(
      '({ times = 1 }) => times',
      `() => { throw new Error('no model') }`,
    );
    const { report } = await run(module);
    expect(report.loads[0]?.files[0]?.error).toMatchObject({
      code: 'ETL_TRANSFORM',
      sentence: 'The setUp of the transform failed: Error: no model.',
    });
  });

  it('is refused by the plan where the module is not there, or is none', async () => {
    const job = (module: string) => ({
      loads: [{ table: 'nothing', files: ['x.csv'], transform: module }],
    });
    await writeFile(join(place.folder, 'none.mjs'), 'export default 1');
    const options = { cwd: place.folder };
    await expect(load(place.db.url, job('gone.mjs'), options)).rejects.toMatchObject({
      code: 'ETL_FILE_NOT_FOUND',
    });
    await expect(load(place.db.url, job('none.mjs'), options)).rejects.toMatchObject({
      code: 'ETL_TRANSFORM',
    });
  });
});
