import type { CsvDescription, SourceFile } from '../source-file.ts';
import { readWhole } from '../whole-file.ts';
import { findDataStart } from './data-start.ts';
import { finishScan, scanChunk } from './scan-records.ts';
import { lineEndOf, startScan } from './scan-state.ts';
import type { LineEnd } from './scan-state.ts';

/** The records of a small CSV file, as a CsvStream would send them. */
export interface WholeCsv {
  /** No header, and a line end at the end. */
  readonly pieces: readonly Buffer[];
  readonly records: number;
  /** Null where there are no records. */
  readonly lineEnd: LineEnd | null;
  /** SHA-256 (hex) of the file's bytes on disk. */
  readonly contentHash: string;
}

/** Null where the file is not read whole (see `readWhole`), or is broken: a CsvStream tells how. */
export async function readWholeCsv(
  file: SourceFile,
  description: CsvDescription,
): Promise<WholeCsv | null> {
  const whole = await readWhole(file);
  if (whole === null) return null;
  const { content, contentHash } = whole;
  const { dialect, columns } = description;
  const start = findDataStart(content, dialect, true)?.dataStart ?? content.length;
  const state = startScan(dialect, columns.length);
  try {
    const pieces = [...scanChunk(state, content.subarray(start)), ...finishScan(state)];
    const { records } = state;
    return { pieces, records, lineEnd: records === 0 ? null : lineEndOf(state), contentHash };
  } catch {
    return null;
  }
}
