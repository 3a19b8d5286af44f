import { copyFormatOf, type CopyFormat } from '../source/csv/copy-format.ts';
import type { CsvDescription } from '../source/source-file.ts';
import { literal, quoted } from './names.ts';

/**
 * COPY of a CSV file's records; the header is not sent. `where`: rows that do not satisfy it are
 * neither written nor counted.
 */
export function csvCopySql(
  table: string,
  columns: readonly string[],
  description: CsvDescription,
  forceNull: readonly string[],
  where: string | null,
): string {
  const options = [
    ...csvOptions(copyFormatOf(description)),
    ...(forceNull.length === 0 ? [] : [`force_null (${forceNull.map(quoted).join(', ')})`]),
  ];
  return copySql(table, columns, options.join(', '), where);
}

/** The options of COPY for such a format, in either direction. */
export function csvOptions(format: CopyFormat): string[] {
  return [
    'format csv',
    `delimiter ${literal(format.delimiter)}`,
    `null ${literal(format.null)}`,
    `quote ${literal(format.quote)}`,
    `escape ${literal(format.escape)}`,
    `encoding ${literal(format.encoding)}`,
  ];
}

/** COPY of lines in its text format, UTF-8, NULL as `\\N`. */
export function textCopySql(
  table: string,
  columns: readonly string[],
  where: string | null,
): string {
  return copySql(table, columns, `format text, encoding 'utf8'`, where);
}

export function binaryCopySql(
  table: string,
  columns: readonly string[],
  where: string | null,
): string {
  return copySql(table, columns, 'format binary', where);
}

function copySql(
  table: string,
  columns: readonly string[],
  options: string,
  where: string | null,
): string {
  const filter = where === null ? '' : ` where ${where}`;
  return `copy ${table} (${columns.map(quoted).join(', ')}) from stdin with (${options})${filter}`;
}
