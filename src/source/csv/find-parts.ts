import { LIMITS } from '../../limits.ts';
import { decompressed } from '../compression.ts';
import { hashFile } from '../content-hash.ts';
import type { CsvDescription, FileDescription, SourceFile } from '../source-file.ts';
import { errorOfScan } from './csv-problem.ts';
import { withoutHead } from './data-chunks.ts';
import type { PassedHead } from './data-chunks.ts';
import { boundaryOf, finishScan, scanChunk } from './scan-records.ts';
import { lineEndOf, ScanProblem, startScan } from './scan-state.ts';
import type { LineEnd, ScanState } from './scan-state.ts';
import { keepsAscii } from './text-encoding.ts';

/** A part of a CSV file that holds whole records. Plain JSON. */
export interface CsvPart {
  /** Its bytes in the file: `[from, to)`; equal where no record begins between two cuts. */
  readonly from: number;
  readonly to: number;
  /** 1-based number of its first record among the data records of the file. */
  readonly firstRecord: number;
  /** Null: a record of it is malformed, so how many there are depends on who reads it. */
  readonly records: number | null;
  /** How the file's first record ends; null where no record has ended before `to`. */
  readonly lineEnd: LineEnd | null;
  /** Whether COPY can have its bytes as they stand, without any of the scanner's repairs. */
  readonly verbatim: boolean;
}

export interface PartsFound {
  /** Null where that of a part is. */
  readonly records: number | null;
  /** SHA-256 (hex) of the file. */
  readonly contentHash: string;
}

/**
 * Whether the file may be read in parts: its bytes go to COPY as they are, and a byte below 0x80 is
 * an ASCII character wherever it stands. In SJIS, BIG5, GBK, GB18030, UHC and JOHAB it may be the
 * second half of a character. None of them has a second byte as low as a double quote or a line end,
 * but a quote or an escape that the job chose can be one, so these are read whole.
 */
export function canBeSplit(
  { compression }: Pick<SourceFile, 'compression'>,
  description: FileDescription,
): description is CsvDescription {
  return (
    compression === 'none' &&
    description.kind === 'csv' &&
    description.path === 'bytes' &&
    keepsAscii(description.dialect.encoding)
  );
}

/**
 * Finds where a file can be cut near each of `cuts` (offsets in the file, ascending): at an end of
 * a record at or soon after each of them. Whether a line end is inside quotes depends on all the
 * bytes before it, so the file is read once from its beginning, by the scanner that counts the
 * records of every load; a part is told as soon as it is known, so that it can be loaded while the
 * search goes on. There are as many parts as cuts, and one.
 *
 * Rejected: guessing the state at a cut from the bytes around it (the first line whose fields fit
 * the header), which needs no pass. A quoted field that holds lines of CSV defeats every such
 * guess. The pass costs 2.0 s of CPU per GB where one field of eight is quoted, and takes as much
 * off the parts: they need neither hash nor, as a rule, scan (reading and scanning whole, 1.8).
 * So it is guessed only where the copy itself proves the guess, and the load has another way
 * (guess-cuts.ts).
 *
 * With `sifts`, whose reader leaves bad records out, a file that cannot be read to its end is no error:
 * what follows the last cut before that place is one part, whose records are not known.
 *
 * @throws EtlError (while iterating) as openCsvBytes
 */
export async function* findParts(
  file: SourceFile,
  description: CsvDescription,
  cuts: readonly number[],
  signal?: AbortSignal,
  sifts = false,
): AsyncGenerator<CsvPart, PartsFound, undefined> {
  const source = decompressed(file, { reuse: true, ...(signal === undefined ? {} : { signal }) });
  const { dialect, columns } = description;
  const recordBytesMax = sifts ? LIMITS.siftRecordBytesMax : LIMITS.recordBytesMax;
  const state = startScan(dialect, columns.length, recordBytesMax, sifts);
  const passed: PassedHead = { bytes: 0, lines: 0 };
  // Until the first data record is seen, the whole file may be a header.
  let last: CsvPart | null = null;
  let found = 0;
  let repairs = 0;
  let torn = false;
  const partTo = (to: number): CsvPart => {
    const from = last === null ? Math.min(to, passed.bytes) : last.to;
    const firstRecord = last === null ? 1 : last.firstRecord + (last.records ?? 0);
    const broken = torn && from < to;
    const records = broken ? null : torn ? 0 : state.records - firstRecord + 1;
    const verbatim = state.repairs === repairs && !broken;
    repairs = state.repairs;
    return (last = { from, to, firstRecord, records, lineEnd: lineEndOf(state), verbatim });
  };
  try {
    let hasData = false;
    for await (const chunk of withoutHead(source.chunks, description.dialect, passed)) {
      hasData = true;
      for (const boundary of scanToCuts(state, chunk, passed.bytes, () => cuts[found])) {
        for (; (cuts[found] ?? Infinity) <= boundary; found++) yield partTo(boundary);
      }
    }
    // The last record lacks its line end, and COPY is to have one.
    if (finishScan(state).length > 0) state.repairs++;
    if (!hasData) passed.bytes = file.bytes;
  } catch (error) {
    if (!(error instanceof ScanProblem)) throw error;
    torn = sifts;
    if (!torn) throw await errorOfScan(file, error, passed.bytes + error.offset);
  }
  for (; found <= cuts.length; found++) yield partTo(file.bytes);
  if (torn) return { records: null, contentHash: await hashFile(file.path, signal) };
  return { records: state.records, contentHash: source.contentHash() };
}

/** Bytes scanned at first beyond a cut; twice as many each time that no record ended in them. */
const STEP_BYTES_MIN = 1;

/** Scans the chunk; yields the offset in the file behind the last complete record, where cuts are. */
function* scanToCuts(
  state: ScanState,
  chunk: Buffer,
  headBytes: number,
  nextCut: () => number | undefined,
): Generator<number> {
  let step = STEP_BYTES_MIN;
  for (let at = 0; at < chunk.length;) {
    const cut = nextCut() ?? Infinity;
    const position = headBytes + state.offset + state.held.length;
    const before = position < cut;
    const to = Math.min(chunk.length, at + (before ? cut - position : step));
    step = before ? STEP_BYTES_MIN : step * 2;
    scanChunk(state, chunk.subarray(at, to));
    at = to;
    yield headBytes + boundaryOf(state);
  }
}
