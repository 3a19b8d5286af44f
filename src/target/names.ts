import { EtlError } from '../errors.ts';

/** An identifier, quoted always: hostile names cannot become SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `schema.table`, each part quoted only where SQL needs it: for people and for DDL they read. */
export function readable(...parts: readonly string[]): string {
  return parts.map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : quoted(part))).join('.');
}

/** A string literal, safe with any setting of standard_conforming_strings. */
export function literal(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return doubled.includes('\\') ? ` E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}

/** The body of a DO, between quotes that it does not hold: types may have any name. */
export function dollarQuoted(body: string): string {
  let tag = '$etl$';
  for (let number = 1; body.includes(tag); number++) tag = `$etl${number}$`;
  return `${tag}${body} ${tag}`;
}

export interface TableName {
  /** Null where the search path decides. */
  readonly schema: string | null;
  readonly name: string;
}

/** @throws EtlError ETL_USAGE where parseTableName reads no name */
export function tableNameOf(text: string): TableName {
  const name = parseTableName(text);
  if (name !== null) return name;
  throw new EtlError(
    'ETL_USAGE',
    `"${text}" is not the name of a table.`,
    'Write [schema.]table; a name with other characters than letters, digits and _ stands in double quotes.',
  );
}

/** Reads `orders`, `app.orders`, `"My Table"`, `app."Strange.name"` as SQL does: folds what is bare. */
export function parseTableName(text: string): TableName | null {
  const part = '(?:"((?:[^"]|"")+)"|([^."\\s]+))';
  const match = new RegExp(`^${part}(?:\\.${part})?$`).exec(text.trim());
  if (match === null) return null;
  const first = partOf(match[1], match[2]);
  const second = partOf(match[3], match[4]);
  if (first === null) return null;
  return second === null ? { schema: null, name: first } : { schema: first, name: second };
}

function partOf(inQuotes: string | undefined, bare: string | undefined): string | null {
  if (inQuotes !== undefined) return inQuotes.replaceAll('""', '"');
  return bare === undefined ? null : bare.toLowerCase();
}
