import type { CsvDescription, CsvDialect } from '../source-file.ts';
import { NO_QUOTE } from './scan-state.ts';
import { isUtf16, keepsAscii } from './text-encoding.ts';

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

/**
 * Whether COPY reads the dialect itself, and its bytes tell where a field ends: single bytes, no
 * comments, no trimming, no UTF-16. In Shift JIS, Big5, GBK and their like `|` and the backslash may
 * be the second byte of a character, which COPY knows and who looks at bytes does not: a key that is
 * cut there would be taken for another one.
 */
export function fitsCopy(dialect: CsvDialect): boolean {
  const quote = dialect.quote ?? NO_QUOTE;
  const marks = [dialect.delimiter, quote, dialect.escape ?? quote];
  return (
    dialect.comment === null &&
    !dialect.trim &&
    !isUtf16(dialect.encoding) &&
    marks.every(isOneByte) &&
    (keepsAscii(dialect.encoding) || marks.every(isNoSecondByte)) &&
    dialect.delimiter !== quote &&
    ![dialect.delimiter, quote, '\n', '\r'].some((part) => dialect.null.includes(part))
  );
}

function isOneByte(text: string): boolean {
  const code = text.charCodeAt(0);
  return text.length === 1 && code > 0 && code < 128;
}

/** Of a character of several bytes, in no encoding: digits are, in GB 18030, and what follows `?`. */
function isNoSecondByte(text: string): boolean {
  const code = text.charCodeAt(0);
  return code < 0x30 || (code > 0x39 && code < 0x40);
}
