import type { CsvDialect } from '../source-file.ts';

/**
 * For each field of a record whether it was quoted.
 *
 * @param raw the record's text as csv-parse hands it out: well-formed, and after the comment lines
 *   and empty lines that came before it
 */
export function quotedFields(raw: string, dialect: CsvDialect, fields: number): readonly boolean[] {
  const { delimiter, quote, trim } = dialect;
  const quoted: boolean[] = [];
  let at = startOfRecord(raw, dialect);
  while (quoted.length < fields) {
    const start = trim ? afterSpaces(raw, at) : at;
    const isQuoted = quote !== null && start < raw.length && raw[start] === quote;
    quoted.push(isQuoted);
    const end = raw.indexOf(delimiter, isQuoted ? endOfQuotes(raw, start + 1, dialect) : start);
    at = end < 0 ? raw.length : end + delimiter.length;
  }
  return quoted;
}

function startOfRecord(raw: string, { comment, trim }: CsvDialect): number {
  let at = 0;
  while (at < raw.length) {
    const first = trim ? afterSpaces(raw, at) : at;
    if (raw[first] === '\n' || raw[first] === '\r') {
      at = first + 1;
      continue;
    }
    if (comment === null || raw[first] !== comment) return at;
    while (at < raw.length && raw[at] !== '\n' && raw[at] !== '\r') at++;
  }
  return at;
}

function afterSpaces(raw: string, from: number): number {
  let at = from;
  while (at < raw.length && raw[at] !== '\n' && raw[at] !== '\r' && raw[at]?.trim() === '') at++;
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
