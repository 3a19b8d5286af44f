import type { CsvDialect } from '../source-file.ts';

/**
 * For each field of a record whether it was quoted.
 *
 * @param record the record's fields
 * @param raw its text as csv-parse hands it out: well-formed, after the comment lines and empty
 *   lines that came before it, and with no more than the first character of each delimiter
 */
export function quotedFields(
  record: readonly string[],
  raw: string,
  dialect: CsvDialect,
): readonly boolean[] {
  let at = startOfRecord(raw, dialect);
  return record.map((field) => {
    at = afterSpaces(raw, at, dialect);
    const quoted = at < raw.length && raw[at] === dialect.quote;
    at = quoted ? endOfQuotes(raw, at + 1, dialect) : at + field.length;
    at = afterSpaces(raw, at, dialect) + 1;
    return quoted;
  });
}

function startOfRecord(raw: string, dialect: CsvDialect): number {
  let at = 0;
  while (at < raw.length) {
    const first = afterSpaces(raw, at, dialect);
    if (isLineEnd(raw[first])) {
      at = first + 1;
    } else if (dialect.comment !== null && raw[first] === dialect.comment) {
      while (at < raw.length && !isLineEnd(raw[at])) at++;
    } else {
      break;
    }
  }
  return at;
}

/** Passes over the white space that is trimmed, if it is. */
function afterSpaces(raw: string, from: number, { trim, delimiter }: CsvDialect): number {
  let at = from;
  while (trim && at < raw.length && !isLineEnd(raw[at])) {
    if (raw[at] === delimiter[0] || raw[at]?.trim() !== '') break;
    at++;
  }
  return at;
}

/** The index after the closing quote. */
function endOfQuotes(raw: string, from: number, { quote, escape }: CsvDialect): number {
  for (let at = from; at < raw.length; at++) {
    const next = raw[at + 1];
    if (raw[at] === escape && (next === quote || next === escape)) at++;
    else if (raw[at] === quote) return at + 1;
  }
  return raw.length;
}

function isLineEnd(character: string | undefined): boolean {
  return character === '\n' || character === '\r';
}
