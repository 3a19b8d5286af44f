import type { OracleFile } from '../../tools/oracle.ts';
import { csvOf } from './random-load.ts';

/**
 * Files of which the same keys come back: file f holds the keys f × step … f × step + rows - 1, some
 * twice, so that with `step` below `rows` it shares keys with the next ones, and above with none.
 */
export function overlappingFiles(files: number, rows: number, step: number): OracleFile[] {
  return Array.from({ length: files }, (_, file) => ({
    columns: ['id', 'name', 'n'],
    rows: Array.from({ length: rows }, (_unused, row) => {
      // Every seventh row repeats an earlier key of its file, so that files disagree with themselves.
      const key = file * step + (row % 7 === 6 ? row - 3 : row);
      return [String(key), row % 5 === 4 ? null : `f${file}r${row}`, String((row * 31) % 17)];
    }),
  }));
}

/** `f0.csv`, `f1.csv` … with the files' texts. */
export function csvFiles(files: readonly OracleFile[]): Record<string, string> {
  return Object.fromEntries(files.map((file, place) => [`f${place}.csv`, csvOf(file)]));
}
