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

/**
 * The same for large rows, which the server then writes one by one. Else it gathers them: up to 64 kB of a
 * text, but of the binary format, whose bytes it does not count, a thousand rows however large they are
 * (copyfrom.c, MAX_BUFFERED_TUPLES). So it reads, writes nothing meanwhile, and then writes while nobody may
 * send. It gathers none where a condition could look into the table, as a volatile one could.
 *
 * By one session 100,000 documents of 20 kB took 0.87 of the time (five in turn, 0.77 to 0.96); 1,500 of 1 MB
 * 0.77, and 17 MB of the backend's memory in place of 83. By two sessions, which fill each other's gaps, as
 * long; documents of 0.5 to 6 kB took as much CPU of the server. Rows of 20 kB from Parquet took 0.94 (four in
 * turn, 0.83 to 1.11), and 14 MB of the backend in place of 34.
 */
export function singlyCopySql(
  table: string,
  columns: readonly string[],
  where: string | null,
): string {
  const volatile = 'pg_catalog.random() >= 0';
  return binaryCopySql(table, columns, where === null ? volatile : `(${where}) and ${volatile}`);
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
