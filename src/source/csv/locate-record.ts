import { Readable, pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { Info } from 'csv-parse';
import { decompressed } from '../compression.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { problemOfFieldCount, problemOfParser } from './csv-problem.ts';
import { countByte, countLineEnds, withoutHead } from './data-chunks.ts';
import type { PassedHead } from './data-chunks.ts';
import { endOfRecord, nextLine } from './data-start.ts';
import { parseText, parserOptions } from './parse-text.ts';
import type { CsvFields } from './parse-text.ts';
import { decodeText, toUtf8 } from './text-encoding.ts';

/** A record that was refused, for the error message. */
export interface LocatedRecord {
  /** 1-based number among the data records. */
  readonly record: number;
  /** 1-based line of the (decompressed) file in which the record begins. */
  readonly line: number;
  /** As it stands in the file, cut to `textMax` characters. */
  readonly text: string;
  /** Null where csv-parse cannot read it. */
  readonly fields: CsvFields | null;
  /** What is wrong with its form, for a sentence: `it has 3 fields, the header has 4`. */
  readonly problem: string | null;
}

/**
 * Finds a data record by its 1-based number. Reads the file again: errors may be slow.
 *
 * @returns null where the file has fewer records
 */
export function locateRecord(
  file: SourceFile,
  description: CsvDescription,
  record: number,
): Promise<LocatedRecord | null> {
  return locate(file, description, (found) => found.record >= record);
}

/**
 * Finds the data record of the line that COPY names in its context (`COPY staged, line 3`): the
 * line of what was sent, in which the record ends. Header and empty lines were not sent.
 */
export function locateCopyLine(
  file: SourceFile,
  description: CsvDescription,
  copyLine: number,
): Promise<LocatedRecord | null> {
  return locate(file, description, (found) => found.copyLine >= copyLine);
}

export const textMax = 10_000;

interface FoundRecord {
  readonly record: number;
  readonly line: number;
  readonly copyLine: number;
  readonly describe: () => Omit<LocatedRecord, 'record' | 'line'>;
}

async function locate(
  file: SourceFile,
  description: CsvDescription,
  wanted: (found: FoundRecord) => boolean,
): Promise<LocatedRecord | null> {
  const walk = description.path === 'bytes' ? walkBytes : walkRows;
  for await (const found of walk(file, description)) {
    if (wanted(found)) return { record: found.record, line: found.line, ...found.describe() };
  }
  return null;
}

/** Records as the scanner finds them. */
async function* walkBytes(
  file: SourceFile,
  description: CsvDescription,
): AsyncGenerator<FoundRecord> {
  const { dialect, columns } = description;
  const passed: PassedHead = { bytes: 0, lines: 0 };
  const counter = startCopyLines();
  let record = 0;
  let line = 0;
  for await (const bytes of splitRecords(withoutHead(decompressed(file).chunks, dialect, passed), description)) {
    const firstLine = 1 + passed.lines + line;
    line += countLineEnds(bytes);
    const body = withoutLineEnd(bytes);
    if (body.length === 0 && columns.length > 1) continue;
    record++;
    const copyLine = counter.next(body, bytes.subarray(body.length));
    const describe = () => describeBytes(file, description, body);
    yield { record, line: firstLine, copyLine, describe };
  }
}
