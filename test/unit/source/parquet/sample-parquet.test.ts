import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/limits.ts';
import { columnRange } from '../../../../src/source/parquet/column-range.ts';
import { describeParquet } from '../../../../src/source/parquet/describe-parquet.ts';
import { sampleParquet } from '../../../../src/source/parquet/sample-parquet.ts';
import type { SourceFile } from '../../../../src/source/source-file.ts';
import { corpusFile, corpusNames, corpusTwin } from '../../../support/parquet-corpus.ts';

/** Three million rows; the package exports no paths of its data. */
const FLIGHTS = '../../../../node_modules/vega-datasets/data/flights-3m.parquet';

describe('sampleParquet', () => {
  it.each(corpusNames())('%s: all rows, where as many are wanted', async (name) => {
    const file = corpusFile(name);
    const twin = corpusTwin(name);
    const sample = await sampleParquet(file, await describeParquet(file), { rowsMax: 10_000 });
    expect(sample.rows).toEqual(twin.rows);
    expect(sample).toMatchObject({
      columns: twin.columns.map((column) => column.name),
      fileRows: twin.rows.length,
      fileRowsExact: true,
      complete: true,
    });
  });

  it('draws rows from everywhere, in the order of the file', async () => {
    const file = corpusFile('rust-lz4-delta');
    const description = await describeParquet(file);
    const ids = corpusTwin('rust-lz4-delta').rows.map((row) => row[0]);
    const options = { rowsMax: 50, columns: ['name', 'id'], seed: 7 };
    const sample = await sampleParquet(file, description, options);
    expect(sample.complete).toBe(false);
    const places = sample.rows.map((row) => ids.indexOf(row[1]));
    expect(places).toHaveLength(50);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(new Set(places).size).toBe(50);
    expect(places[0]).toBeLessThan(50);
    expect(places.at(-1)).toBeGreaterThan(200);
    expect(await sampleParquet(file, description, options)).toEqual(sample);
    const other = await sampleParquet(file, description, { ...options, seed: 8 });
    expect(other.rows).not.toEqual(sample.rows);
  });

  it('does not read a large file whole', async () => {
    const path = fileURLToPath(new URL(FLIGHTS, import.meta.url));
    const { size, mtimeMs } = statSync(path);
    expect(size).toBeGreaterThan(LIMITS.sampleBytesPerFileMax);
    const format = { format: 'parquet', compression: 'none' } as const;
    const file: SourceFile = { path, name: 'flights', ...format, bytes: size, mtimeMs };
    const description = await describeParquet(file);
    const sample = await sampleParquet(file, description, { rowsMax: 1000 });
    expect(sample.rows.length).toBeGreaterThan(300);
    expect(sample.rows.length).toBeLessThanOrEqual(1000);
    expect(sample).toMatchObject({ fileRows: 3_000_000, complete: false });
    // The file is sorted by its first column: its dates show where the rows come from.
    const dates = sample.rows.map((row) => row[0] ?? '');
    expect(dates).toEqual([...dates].sort());
    expect((dates[0] ?? '') < '2001-03').toBe(true);
    expect((dates.at(-1) ?? '') > '2001-04').toBe(true);
  });
});

describe('columnRange', () => {
  const rangeOf = async (name: string, column: string) => {
    const file = corpusFile(name);
    return columnRange(file, await describeParquet(file), column);
  };

  it('is that of all row groups', async () => {
    expect(await rangeOf('rust-zstd', 'id')).toEqual({ kind: 'integer', min: '-3', max: '76' });
    expect(await rangeOf('rust-zstd', 'u64')).toEqual({
      kind: 'integer',
      min: '0',
      max: '18446744073709551615',
    });
    expect(await rangeOf('rust-lz4-delta', 'code')).toEqual({
      kind: 'bytes',
      min: '',
      max: 'CCC',
    });
  });

  it('of dates and timestamps is in microseconds', async () => {
    const microseconds = (iso: string): string => String(BigInt(Date.parse(iso)) * 1000n);
    const days = { min: microseconds('0001-01-01'), max: microseconds('9999-12-31') };
    expect(await rangeOf('rust-zstd', 'day')).toEqual({ kind: 'integer', ...days });
    expect(await rangeOf('rust-zstd', 'millis')).toEqual({
      kind: 'integer',
      min: microseconds('1969-12-31T23:59:59.999Z'),
      max: microseconds('2024-02-29T12:34:56.789Z'),
    });
  });

  it('is not known of other types, nor without rows', async () => {
    expect(await rangeOf('rust-zstd', 'f64')).toBeNull();
    expect(await rangeOf('rust-nested', 'numbers')).toBeNull();
    expect(await rangeOf('rust-empty', 'id')).toBeNull();
  });
});
