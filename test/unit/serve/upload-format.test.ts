import { describe, expect, test } from 'vitest';
import { Refusal } from '../../../src/serve/refusal.ts';
import { fileEnding, rowsEnding } from '../../../src/serve/upload-format.ts';

function refusal(ask: () => unknown): Refusal {
  try {
    ask();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('the ending of a spool file', () => {
  test.each([
    ['text/csv', undefined, null, '.csv'],
    ['Text/CSV; charset=utf-8', undefined, null, '.csv'],
    ['text/tab-separated-values', 'gzip', null, '.tsv.gz'],
    ['application/vnd.apache.parquet', undefined, null, '.parquet'],
    ['application/x-ndjson', 'zstd', null, '.jsonl.zst'],
    ['application/octet-stream', undefined, 'a.b.CSV.GZ', '.csv.gz'],
    ['application/x-www-form-urlencoded', undefined, 'orders.parquet', '.parquet'],
    [undefined, 'gzip', 'orders.csv.gz', '.csv.gz'],
    [undefined, 'identity', '../../etc/passwd.json', '.json'],
    ['text/csv', undefined, 'no ending', '.csv'],
    ['text/csv', undefined, 'tabs.tsv', '.tsv'],
  ])('%s, %s, %s: %s', (type, encoding, name, ending) => {
    expect(fileEnding({ type, encoding, name })).toBe(ending);
  });

  test.each([
    [undefined, undefined, null],
    ['image/png', undefined, null],
    ['application/octet-stream', undefined, 'orders.xlsx'],
    ['text/csv', undefined, 'orders.parquet'],
    ['text/csv', 'br', null],
    ['application/vnd.apache.parquet', 'gzip', null],
    [undefined, undefined, 'a.parquet.gz'],
  ])('is refused: %s, %s, %s', (type, encoding, name) => {
    expect(refusal(() => fileEnding({ type, encoding, name })).status).toBe(415);
  });

  test('of rows is that of JSON', () => {
    expect(rowsEnding({ type: undefined, encoding: undefined })).toBe('.json');
    expect(rowsEnding({ type: 'application/x-ndjson', encoding: 'gzip' })).toBe('.jsonl.gz');
    expect(refusal(() => rowsEnding({ type: 'text/csv', encoding: undefined })).status).toBe(415);
  });
});
