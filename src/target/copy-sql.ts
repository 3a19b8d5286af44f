import type { CsvDescription } from '../source/source-file.ts';
import { literal, quoted } from './names.ts';

/** COPY of a CSV file's records; the header is not sent. */
export function csvCopySql(
  table: string,
  columns: readonly string[],
  description: CsvDescription,
  forceNull: readonly string[],
): string {
  const { delimiter, quote, escape, encoding } = description.dialect;
  const canonical = description.path === 'rows';
  const options = [
    'format csv',
    `delimiter ${literal(canonical ? ',' : delimiter)}`,
    `null ${literal(canonical ? '' : description.dialect.null)}`,
    // A file without quotes: a byte that no text holds.
    `quote ${canonical ? `'"'` : quote === null ? `E'\\x01'` : literal(quote)}`,
    ...(canonical || escape === null || escape === quote ? [] : [`escape ${literal(escape)}`]),
    `encoding ${literal(canonical ? 'utf8' : encoding)}`,
    ...(forceNull.length === 0 ? [] : [`force_null (${forceNull.map(quoted).join(', ')})`]),
  ];
  return `copy ${table} (${columns.map(quoted).join(', ')}) from stdin with (${options.join(', ')})`;
}

export function binaryCopySql(table: string, columns: readonly string[]): string {
  return `copy ${table} (${columns.map(quoted).join(', ')}) from stdin with (format binary)`;
}
