import type { CopyFormat } from '../csv/copy-format.ts';

/** The fields of one record, without its line end, as COPY reads them: quotes may open anywhere. */
export function splitFields(
  record: string,
  format: Omit<CopyFormat, 'encoding'>,
): (string | null)[] {
  if (record.includes(format.quote)) return splitQuoted(record, format);
  const fields: (string | null)[] = record.split(format.delimiter);
  for (let index = 0; index < fields.length; index++) {
    if (fields[index] === format.null) fields[index] = null;
  }
  return fields;
}

function splitQuoted(
  record: string,
  { delimiter, quote, escape, null: spelled }: Omit<CopyFormat, 'encoding'>,
): (string | null)[] {
  const fields: (string | null)[] = [];
  let field = '';
  let quoted = false;
  let inQuotes = false;
  for (let at = 0; at <= record.length; at++) {
    const character = record[at];
    if (character === undefined || (!inQuotes && character === delimiter)) {
      fields.push(!quoted && field === spelled ? null : field);
      field = '';
      quoted = false;
    } else if (!inQuotes) {
      if (character === quote) inQuotes = quoted = true;
      else field += character;
    } else if (character === escape && (record[at + 1] === quote || record[at + 1] === escape)) {
      field += record[++at] ?? '';
    } else if (character === quote) {
      inQuotes = false;
    } else {
      field += character;
    }
  }
  return fields;
}
