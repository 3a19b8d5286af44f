import { statSync } from 'node:fs';
import path from 'node:path';
import { assert } from '../../src/assert.ts';
import { EtlError } from '../../src/errors.ts';
import { csvSchema, type CsvOptions } from '../../src/job/schema.ts';
import { openCsvBytes } from '../../src/source/csv/csv-bytes.ts';
import { openCsvRows } from '../../src/source/csv/csv-rows.ts';
import { describeFile } from '../../src/source/describe.ts';
import { formatOfName } from '../../src/source/file-format.ts';
import { readParquet } from '../../src/source/parquet/read-parquet.ts';
import { countByte } from '../../src/source/csv/data-chunks.ts';
import { openJson } from '../../src/source/json/json-stream.ts';
import { sampleFile } from '../../src/source/sample.ts';
import type { InputDescription, SourceFile } from '../../src/source/source-file.ts';

/**
 * Reads the files that its parent names, one after another, as the engine does: describe, sample,
 * read. A process of its own, so that the parent can end a read that never ends, and so that its
 * peak memory is that of these reads.
 */
export interface ReadRequest {
  readonly path: string;
  readonly csv: Partial<CsvOptions>;
}

export type ReadAnswer =
  | { readonly kind: 'read'; readonly rows: number; readonly peakBytes: number }
  | { readonly kind: 'refused'; readonly code: string; readonly peakBytes: number }
  /** Something was thrown that is no error of ours. */
  | { readonly kind: 'broken'; readonly stack: string; readonly peakBytes: number };

process.on('message', (request: ReadRequest) => {
  void answer(request).then((said) => process.send?.(said));
});
process.send?.('ready');

async function answer(request: ReadRequest): Promise<ReadAnswer> {
  try {
    return { kind: 'read', rows: await rowsOf(request), peakBytes: peakBytes() };
  } catch (error) {
    if (error instanceof EtlError && error.code !== 'ETL_INTERNAL') {
      assert(error.record.remedy !== '' && !/undefined|NaN/.test(error.message), error.message);
      return { kind: 'refused', code: error.code, peakBytes: peakBytes() };
    }
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: 'broken', stack, peakBytes: peakBytes() };
  }
}

async function rowsOf(request: ReadRequest): Promise<number> {
  const file = sourceOf(request.path);
  const description = await describeFile(file, csvSchema.parse(request.csv));
  const sample = await sampleFile(file, description, { rowsMax: 50, seed: 1 });
  const width = sample.columns.length;
  const rows = await readWhole(file, description);
  assert(!sample.complete || sample.rows.length === rows, 'a complete sample has all rows');
  assert(!sample.fileRowsExact || sample.fileRows === rows, 'an exact count of rows is exact');
  assert(
    description.kind === 'csv' || sample.rows.every((row) => row.length === width),
    'each row of a sample has all columns',
  );
  return rows;
}

async function readWhole(file: SourceFile, description: InputDescription): Promise<number> {
  let rows = 0;
  if (description.kind === 'parquet') {
    const columns = description.columns.map((column) => column.name);
    for await (const batch of readParquet(file, description, { columns })) rows += batch.rows;
    return rows;
  }
  if (description.kind === 'json') {
    const fields = description.columns.map((_, column) => ({ column, form: 'text' as const }));
    const json = openJson(file, description, fields);
    for await (const piece of json.pieces) {
      if (piece.kind === 'rows') rows += countByte(piece.bytes, 10);
    }
    return rows;
  }
  const stream =
    description.path === 'bytes'
      ? openCsvBytes(file, description)
      : openCsvRows(file, description, { subBatchSize: 100 });
  let bytes = 0;
  for await (const chunk of stream.chunks) bytes += chunk.length;
  const { records } = stream.totals();
  assert(records <= bytes, 'each record has a line end');
  return records;
}

function sourceOf(file: string): SourceFile {
  const name = path.basename(file);
  const kind = formatOfName(name);
  assert('format' in kind, name);
  const { size: bytes, mtimeMs } = statSync(file);
  return { path: file, name, ...kind, bytes, mtimeMs };
}

function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
