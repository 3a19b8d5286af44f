import type { CsvError, CsvErrorCode } from 'csv-parse';
import { EtlError } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import { LIMITS } from '../../limits.ts';
import { lineAt } from '../line-at.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import type { ScanProblem } from './scan-state.ts';

/** The user's error of a defect that the scanner found `offset` bytes into the decompressed file. */
export async function errorOfScan(
  file: SourceFile,
  problem: ScanProblem,
  offset: number,
): Promise<EtlError> {
  const facts = { file: file.name, line: await lineAt(file, offset) };
  switch (problem.kind) {
    case 'unterminated quote':
      return new EtlError(
        'ETL_CSV_MALFORMED',
        'A quote opens here and never closes.',
        remedy`Close it; if the file does not use quotes, say so with ${setting('csv.quote', null)}.`,
        facts,
      );
    case 'stray quote':
      return new EtlError(
        'ETL_CSV_MALFORMED',
        'A quote in the middle of a field swallows the end of the line.',
        remedy`Double the quotes inside the quoted field; if the file does not use quotes, say so with ${setting('csv.quote', null)}, and if there is white space before them, with ${setting('csv.trim', true)}.`,
        facts,
      );
    case 'record too long':
      return new EtlError(
        'ETL_LIMIT',
        `The record that begins here is longer than ${LIMITS.recordBytesMax} bytes.`,
        'Check for a quote that is not closed, and for the right line ends.',
        { ...facts, limit: LIMITS.recordBytesMax },
      );
    case 'torn quote':
      return new EtlError(
        'ETL_CSV_MALFORMED',
        'Text follows the closing quote of the field that opens here.',
        'Close them, or double the quotes inside the quoted field.',
        facts,
      );
    case 'byte 1':
      return new EtlError(
        'ETL_CSV_MALFORMED',
        'The control character 1 cannot be loaded from a file without quotes.',
        remedy`Give a character that the file does not use: ${setting('csv.quote')}.`,
        facts,
      );
  }
}

/** What csv-parse found wrong, without its line numbers: they leave out the header. */
export function problemOfParser(error: CsvError): string {
  return parserProblems[error.code] ?? error.message;
}

const parserProblems: Partial<Record<CsvErrorCode, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote opens and never closes',
  INVALID_OPENING_QUOTE: 'a quote stands in the middle of an unquoted field',
  CSV_INVALID_CLOSING_QUOTE: 'a closing quote is followed by neither a delimiter nor a line end',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: 'a closing quote is followed by text',
  CSV_MAX_RECORD_SIZE: `it is longer than ${LIMITS.recordBytesMax} characters`,
};

export function problemOfFieldCount(fields: number, { columns }: CsvDescription): string | null {
  if (fields === columns.length) return null;
  return `it has ${fields} ${fields === 1 ? 'field' : 'fields'}, the header has ${columns.length}`;
}
