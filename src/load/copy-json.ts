import { assert, present } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { openJson, type JsonReadOptions, type JsonStream } from '../source/json/json-stream.ts';
import type { JsonDescription } from '../source/source-file.ts';
import type { Connection } from '../target/connect.ts';
import { textCopySql } from '../target/copy-sql.ts';
import type { CopyTarget } from './copy-target.ts';
import type { Copied } from './stage-options.ts';

/**
 * Copies the records of a JSON file as lines of COPY's text format, so that what is behind it
 * (staging, the table itself, casts, the line that an error names) is as for CSV.
 *
 * Rejected: to send each record whole into a table (etl_row, doc jsonb), and to take it apart there by
 * `doc #>> …`; and to take it apart here by JSON.parse, which changes numbers besides. 200,000 records
 * of 500 and of 1,900 bytes, 8 columns to a typed staging table, CPU seconds of client + server
 * (PostgreSQL 15): this 1.1 + 0.8 and 2.3 + 2.0, in the table 0.2 + 2.6 and 0.6 + 12.6, by JSON.parse
 * and CSV 1.7 + 0.8 and 3.7 + 2.1.
 */
export async function copyJson(
  connection: Connection,
  file: FilePlan,
  description: JsonDescription,
  target: CopyTarget,
  options: JsonReadOptions,
): Promise<Copied> {
  const { sqlName, layout, where } = target;
  const stream = openJson(file, description, present(layout.json, 'a layout of JSON'), options);
  const sql = textCopySql(sqlName, layout.copyColumns, where);
  const copied = await connection.copyIn(sql, bytesOf(stream));
  const { records, contentHash } = stream.totals();
  assert(
    copied === records || (where !== null && copied < records),
    `COPY took ${copied} of ${records} records of ${file.name}`,
  );
  return { rows: records, staged: copied, contentHash };
}

async function* bytesOf({ pieces }: JsonStream): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    assert(piece.kind === 'rows', 'a value that is no text is an error');
    yield piece.bytes;
  }
}
