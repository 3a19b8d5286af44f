import { copyFormatOf } from '../source/csv/copy-format.ts';
import type { CsvDescription } from '../source/source-file.ts';
import { literal, quoted } from './names.ts';

/** COPY of a CSV file's records; the header is not sent. */
export function csvCopySql(
  table: string,
  columns: readonly string[],
  description: CsvDescription,
  forceNull: readonly string[],
): string {
  const format = copyFormatOf(description);
  const options = [
    'format csv',
    `delimiter ${literal(format.delimiter)}`,
    `null ${literal(format.null)}`,
    `quote ${literal(format.quote)}`,
    `escape ${literal(format.escape)}`,
    `encoding ${literal(format.encoding)}`,
    ...(forceNull.length === 0 ? [] : [`force_null (${forceNull.map(quoted).join(', ')})`]),
  ];
  return `copy ${table} (${columns.map(quoted).join(', ')}) from stdin with (${options.join(', ')})`;
}

export function binaryCopySql(table: string, columns: readonly string[]): string {
  return `copy ${table} (${columns.map(quoted).join(', ')}) from stdin with (format binary)`;
}
