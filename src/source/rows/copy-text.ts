/** The lines of COPY's text format (`\N` is NULL), written and read. */

const ESCAPED = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

/** One line, its end included. What there is no value of is NULL. */
export function copyLine(fields: readonly (string | number | null | undefined)[]): string {
  let line = '';
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index];
    if (index > 0) line += '\t';
    if (field === null || field === undefined) line += '\\N';
    else if (typeof field === 'string' && ESCAPED.test(field))
      line += field.replace(/[\\\t\n\r]/g, (one) => ESCAPES[one] ?? one);
    else line += String(field);
  }
  return `${line}\n`;
}

/** The fields of whole lines, as this engine writes them. */
export function readCopyLines(bytes: Buffer): (string | null)[][] {
  const lines = bytes.toString('utf8').split('\n');
  // Behind the last line end there is nothing.
  lines.pop();
  return lines.map((line) => line.split('\t').map(fieldOf));
}

const CHARACTERS: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function fieldOf(field: string): string | null {
  if (!field.includes('\\')) return field;
  if (field === '\\N') return null;
  return field.replace(/\\([\s\S])/g, (_, one: string) => CHARACTERS[one] ?? one);
}
