import { describe, expect, it } from 'vitest';
import { describeParquet } from '../../src/source/parquet/describe-parquet.ts';
import { allRows, corpusFile, corpusNames, corpusTwin } from '../support/parquet-corpus.ts';

/** `x.parquet` is read, `x.json` says what must come out: two more files are one more test. */
const names = corpusNames();

it('has files', () => {
  expect(names.length).toBeGreaterThan(10);
});

describe.each(names)('%s', (name) => {
  const file = corpusFile(name);
  const twin = corpusTwin(name);

  it('is described', async () => {
    const { columns, rows } = await describeParquet(file);
    expect(columns.map(({ name: column, type }) => ({ name: column, type }))).toEqual(twin.columns);
    expect(rows).toBe(twin.rows.length);
  });

  it('is read', async () => {
    expect(await allRows(file, await describeParquet(file))).toEqual(twin.rows);
  });

  it('is read by some columns, in any order', async () => {
    const description = await describeParquet(file);
    const picked = [description.columns.at(-1), description.columns[0]].flatMap((c) => c ?? []);
    const expected = twin.rows.map((row) => [row.at(-1), row[0]]);
    expect(await allRows(file, description, picked)).toEqual(expected);
  });
});
