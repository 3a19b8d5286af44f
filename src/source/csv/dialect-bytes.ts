import type { CsvDialect } from '../source-file.ts';

/** The bytes that structure a CSV file; -1, which is no byte, where a dialect has none. */
export interface DialectBytes {
  readonly delimiter: number;
  readonly quote: number;
  /** Also -1 where a quote is escaped by doubling it, which needs no state. */
  readonly escape: number;
}

export function dialectBytes({
  delimiter,
  quote,
  escape,
}: Pick<CsvDialect, 'delimiter' | 'quote' | 'escape'>): DialectBytes {
  return {
    delimiter: delimiter.charCodeAt(0),
    quote: quote === null ? -1 : quote.charCodeAt(0),
    escape: quote === null || escape === null || escape === quote ? -1 : escape.charCodeAt(0),
  };
}
