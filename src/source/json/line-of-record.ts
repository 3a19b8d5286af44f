import type { JsonDescription, SourceFile } from '../source-file.ts';
import { JsonFault } from './json-bytes.ts';
import { jsonRecords } from './json-records.ts';

/** 1-based line in which a record begins; the first line where it cannot be found. */
export async function lineOfRecord(
  file: SourceFile,
  description: Pick<JsonDescription, 'records' | 'lines'>,
  record: number,
): Promise<number> {
  try {
    for await (const { line } of jsonRecords(file, description, () => record)) return line;
  } catch (error) {
    // The file has changed, or is no JSON beyond that place: the number of the record is still true.
    if (!(error instanceof JsonFault)) throw error;
  }
  return 1;
}
