import type { CsvDescription, CsvDialect } from '../source-file.ts';
import { NO_QUOTE } from './scan-state.ts';
import { isUtf16 } from './text-encoding.ts';

/** The options of `COPY … (FORMAT csv)` that read what a CsvStream sends. */
export interface CopyFormat {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly null: string;
  /** A name that PostgreSQL knows. */
  readonly encoding: string;
}

/** What the row path writes. */
const canonical: CopyFormat = {
  delimiter: ',',
  quote: '"',
  escape: '"',
  null: '',
  encoding: 'utf8',
};

export function copyFormatOf({ dialect, path }: CsvDescription): CopyFormat {
  if (path === 'rows') return canonical;
  const quote = dialect.quote ?? NO_QUOTE;
  return {
    delimiter: dialect.delimiter,
    quote,
    escape: dialect.escape ?? quote,
    null: dialect.null,
    encoding: dialect.encoding,
  };
}

/** Whether COPY reads the dialect itself: single bytes, no comments, no trimming, no UTF-16. */
export function fitsCopy(dialect: CsvDialect): boolean {
  const quote = dialect.quote ?? NO_QUOTE;
  return (
    dialect.comment === null &&
    !dialect.trim &&
    !isUtf16(dialect.encoding) &&
    [dialect.delimiter, quote, dialect.escape ?? quote].every(isOneByte) &&
    dialect.delimiter !== quote &&
    ![dialect.delimiter, quote, '\n', '\r'].some((part) => dialect.null.includes(part))
  );
}

function isOneByte(text: string): boolean {
  const code = text.charCodeAt(0);
  return text.length === 1 && code > 0 && code < 128;
}
