import type { Options } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { LIMITS } from '../../limits.ts';
import type { CsvDialect } from '../source-file.ts';
import { quotedFields } from './quoted-fields.ts';

/** One record; null is NULL. */
export type CsvFields = readonly (string | null)[];

/** A record as csv-parse gives it with the option `raw`. */
export interface RawRecord {
  readonly record: readonly string[];
  readonly raw: string;
}

/**
 * Parses a text in one go: for headers, samples and what is wrong in a record. The number of
 * fields is for the caller to check. @throws CsvError of csv-parse
 */
export function parseText(
  text: string,
  dialect: CsvDialect,
  columns: number,
  more: Options = {},
): readonly CsvFields[] {
  const options = { ...parserOptions(dialect, columns), ...more };
  if (!mayQuoteNull(text, dialect)) {
    return parse(text, options).map((record) => withNulls({ record, raw: '' }, dialect));
  }
  const records = parse(text, { ...options, raw: true }) as unknown as readonly RawRecord[];
  return records.map((record) => withNulls(record, dialect));
}

/** A dialect in the words of csv-parse. */
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
  };
}

/**
 * Makes null of the unquoted fields that spell NULL, as COPY does.
 *
 * csv-parse tells whether a field was quoted only to its `cast` function, for which it copies some
 * twenty properties for each field: 20,000 records of 7 fields per CPU second, where it parses
 * 200,000 without. So we look into the record's own text, where a field spells NULL and the record
 * has such a field in quotes: 120,000.
 */
export function withNulls({ record, raw }: RawRecord, dialect: CsvDialect): CsvFields {
  if (!record.includes(dialect.null)) return record;
  const quoted = mayQuoteNull(raw, dialect) ? quotedFields(record, raw, dialect) : [];
  return record.map((field, index) =>
    field === dialect.null && quoted[index] !== true ? null : field,
  );
}

function mayQuoteNull(text: string, { quote, escape, null: spelled }: CsvDialect): boolean {
  if (quote === null) return false;
  const escapable = spelled.includes(quote) || (escape !== null && spelled.includes(escape));
  return text.includes(escapable ? quote : quote + spelled + quote);
}
