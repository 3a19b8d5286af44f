import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { csvSchema } from '../../src/job/schema.ts';
import type { CsvOptions } from '../../src/job/schema.ts';
import { copyFormatOf } from '../../src/source/csv/copy-format.ts';
import { openCsvBytes } from '../../src/source/csv/csv-bytes.ts';
import { openCsvRows } from '../../src/source/csv/csv-rows.ts';
import type { CsvStream } from '../../src/source/csv/csv-stream.ts';
import { describeCsv } from '../../src/source/csv/describe-csv.ts';
import { sampleCsv } from '../../src/source/csv/sample-csv.ts';
import type { CsvDescription, SourceFile } from '../../src/source/source-file.ts';
import { sourceOf } from '../unit/source/temporary-files.ts';

/**
 * The folder is the list of tests: `name.csv` (or .tsv, .csv.gz …) and beside it `name.json` with
 * what it holds. Two files dropped in are a test.
 */
interface Expectation {
  readonly why: string;
  readonly options?: Partial<CsvOptions>;
  readonly path: CsvDescription['path'];
  readonly columns: readonly string[];
  readonly records: number;
  /** The first rows, or all. */
  readonly rows: readonly (readonly (string | null)[])[];
}

const folder = new URL('files/csv/', import.meta.url).pathname;
const files = readdirSync(folder).filter((name) => !name.endsWith('.json'));

async function rowsSent(
  stream: CsvStream,
  sent: CsvDescription,
): Promise<readonly (readonly (string | null)[])[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.chunks) chunks.push(Buffer.from(chunk));
  const format = copyFormatOf(sent);
  const text = new TextDecoder(format.encoding).decode(Buffer.concat(chunks));
  return parse(text, {
    delimiter: format.delimiter,
    quote: format.quote,
    escape: format.escape,
    cast: (value, { quoting }) => (!quoting && value === format.null ? null : value),
  });
}

interface Opened {
  readonly stream: CsvStream;
  /** As it is sent. */
  readonly sent: CsvDescription;
}

/** What the byte path takes the row path must take, too, with the same result. */
function bothPaths(file: SourceFile, description: CsvDescription): readonly Opened[] {
  const sent: CsvDescription = { ...description, path: 'rows' };
  const byRows = { stream: openCsvRows(file, sent, { subBatchSize: 1000 }), sent };
  if (description.path === 'rows') return [byRows];
  return [{ stream: openCsvBytes(file, description), sent: description }, byRows];
}

describe('files', () => {
  it.each(files)('%s', async (name) => {
    const json = path.join(folder, name.replace(/\.(csv|tsv|txt)(\..*)?$/, '.json'));
    const expected = JSON.parse(readFileSync(json, 'utf8')) as Expectation;
    const file = sourceOf(path.join(folder, name));
    const description = await describeCsv(file, csvSchema.parse(expected.options ?? {}));
    expect(description.columns).toEqual(expected.columns);
    expect(description.path).toBe(expected.path);
    for (const { stream, sent } of bothPaths(file, description)) {
      const rows = await rowsSent(stream, sent);
      expect(rows.length).toBe(expected.records);
      expect(stream.totals().records).toBe(expected.records);
      expect(rows.slice(0, expected.rows.length)).toEqual(expected.rows);
    }
    const sample = await sampleCsv(file, description, { rowsMax: 500, bytesMax: 1 << 23, seed: 1 });
    expect(sample.fileRows).toBe(expected.records);
    expect(sample.complete).toBe(expected.records <= 500);
    if (sample.complete) expect(sample.rows.slice(0, expected.rows.length)).toEqual(expected.rows);
  });
});

describe('csv-spectrum', () => {
  const spectrum = path.dirname(createRequire(import.meta.url).resolve('csv-spectrum'));
  // Its JSON tells other values than its CSV, which has quotes in the middle of a field.
  const strayQuotes = 'location_coordinates.csv';
  const csvs = readdirSync(path.join(spectrum, 'csvs'));

  it.each(csvs.filter((name) => name !== strayQuotes))('%s', async (name) => {
    const json = path.join(spectrum, 'json', name.replace('.csv', '.json'));
    const expected = JSON.parse(readFileSync(json, 'utf8')) as Record<string, string>[];
    const file = sourceOf(path.join(spectrum, 'csvs', name));
    const description = await describeCsv(file, csvSchema.parse({}));
    for (const { stream, sent } of bothPaths(file, description)) {
      const rows = await rowsSent(stream, sent);
      expect(stream.totals().records).toBe(expected.length);
      const objects = rows.map((row) =>
        Object.fromEntries(sent.columns.map((column, index) => [column, row[index] ?? ''])),
      );
      expect(objects).toEqual(expected);
    }
  });

  it(`${strayQuotes}: passes what COPY takes, and tells of the quotes that it drops`, async () => {
    const file = sourceOf(path.join(spectrum, 'csvs', strayQuotes));
    const description = await describeCsv(file, csvSchema.parse({}));
    const stream = openCsvBytes(file, description);
    const chunks: Buffer[] = [];
    for await (const chunk of stream.chunks) chunks.push(Buffer.from(chunk));
    expect(Buffer.concat(chunks).toString()).toContain('37.8"N');
    expect(stream.totals()).toMatchObject({ records: 1, strayQuotes: 1 });
  });
});
