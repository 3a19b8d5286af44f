import { byteRange } from '../byte-range.ts';
import { decompressed } from '../compression.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { cutRecords, type CutOptions, type RecordCutter } from './cut-records.ts';
import type { CsvReadOptions } from './csv-stream.ts';
import { cutRows } from './cut-rows.ts';
import { withoutHead, type PassedHead } from './data-chunks.ts';
import type { CsvPart } from './find-parts.ts';

/** A CSV file, or a part of it, record by record; see cut-records.ts. */
export interface CsvRecords {
  readonly cutter: RecordCutter;
  /** What precedes the first record; of a part its lines are not known. */
  readonly passed: Readonly<PassedHead>;
  /** Bytes read from disk so far. */
  bytesRead(): number;
  /** SHA-256 (hex) of the file, once it is read; null of a part. */
  contentHash(): string | null;
}

/** @throws EtlError (while reading) what reading throws */
export function openCsvRecords(
  file: SourceFile,
  description: CsvDescription,
  part: CsvPart | null,
  { signal, recordBytesMax }: CsvReadOptions & CutOptions = {},
): CsvRecords {
  const longest = recordBytesMax === undefined ? {} : { recordBytesMax };
  if (part !== null) {
    const range = byteRange(file, part, signal === undefined ? {} : { signal });
    return {
      cutter: cutRecords(range.chunks, description, { lineEnd: part.lineEnd, ...longest }),
      passed: { bytes: part.from, lines: 0 },
      bytesRead: () => range.bytesRead(),
      contentHash: () => null,
    };
  }
  const source = decompressed(file, signal === undefined ? {} : { signal });
  const passed: PassedHead = { bytes: 0, lines: 0 };
  const cutter =
    description.path === 'rows'
      ? cutRows(file, description, source.chunks, passed)
      : cutRecords(withoutHead(source.chunks, description.dialect, passed), description, longest);
  return {
    cutter,
    passed,
    bytesRead: () => source.bytesRead(),
    contentHash: () => source.contentHash(),
  };
}
