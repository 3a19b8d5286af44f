import type { CsvDialect } from '../source-file.ts';

/**
 * CSV as the engine itself writes it, in reject files and where a record is written again: RFC 4180
 * in UTF-8, an unquoted empty field for NULL. A header counts as a record.
 */
export const PLAIN_DIALECT: CsvDialect = {
  delimiter: ',',
  quote: '"',
  escape: '"',
  null: '',
  encoding: 'utf8',
  header: false,
  skipLines: 0,
  comment: null,
  trim: false,
};
