import type { Options } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { LIMITS } from '../../limits.ts';
import type { CsvDialect } from '../source-file.ts';

/** One record; null is NULL. */
export type CsvFields = readonly (string | null)[];

/**
 * Parses a text in one go: for headers, samples and what is wrong in a record. The number of
 * fields is for the caller to check. @throws CsvError of csv-parse
 */
export function parseText(
  text: string | Buffer,
  dialect: CsvDialect,
  columns: number,
  more: Options = {},
): readonly CsvFields[] {
  return parse(text, { ...parserOptions(dialect, columns), ...more });
}

/**
 * A dialect in the words of csv-parse. Fields come as text, or as null where an unquoted field is
 * the dialect's NULL, as COPY reads it.
 */
export function parserOptions(dialect: CsvDialect, columns: number): Options {
  return {
    delimiter: dialect.delimiter,
    quote: dialect.quote ?? false,
    escape: dialect.escape ?? dialect.quote ?? false,
    comment: dialect.comment ?? false,
    comment_no_infix: true,
    trim: dialect.trim,
    skip_empty_lines: columns > 1,
    relax_column_count: true,
    max_record_size: LIMITS.recordBytesMax,
    cast: (value, { quoting }) => (!quoting && value === dialect.null ? null : value),
  };
}
