import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { byteRange } from '../byte-range.ts';
import { decompressed } from '../compression.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { cutRecords, type RecordCutter } from './cut-records.ts';
import { withoutHead, type PassedHead } from './data-chunks.ts';
import type { CsvPart } from './find-parts.ts';
import { boundaryOf, finishScan, scanChunk } from './scan-records.ts';
import { lineEndOf, ScanProblem, startScan } from './scan-state.ts';
import type { LineEnd, ScanState } from './scan-state.ts';

/** Whole records that are next to each other, held until the server has taken them. */
export interface CsvBlock {
  /** 1-based number of its first record among those of the source. */
  readonly first: number;
  /** Null: it has a record that COPY must not see, so how many there are is for the cutter to say. */
  readonly count: number | null;
  /** As COPY is to have them; none where `count` is null. */
  readonly pieces: readonly Buffer[];
  /** The same records one by one, as they stand; to be asked for once. */
  readonly records: () => RecordCutter;
}

/** A CSV file of the fast path, or a part of it, in blocks. */
export interface CsvBlocks {
  /** To be iterated once; leaving early closes the file. */
  readonly blocks: AsyncIterable<CsvBlock>;
  bytesRead(): number;
  /** SHA-256 (hex) of the file, once it is read; null of a part. */
  contentHash(): string | null;
}

/**
 * The fast path for a table in which a refused COPY leaves dead rows: what is sent again, and what is
 * left dead, is one block and not all that came before the bad row. Blocks have bytes and records as
 * the scanner of csv-bytes.ts lets them out. Where it gives the file up, the rest of the file is one
 * block for the cutter, which tells what is bad.
 *
 * @throws EtlError (while iterating) ETL_LIMIT for a record that is longer than a block can hold, and
 *   what reading throws
 */
export function openCsvBlocks(
  file: SourceFile,
  description: CsvDescription,
  part: CsvPart | null,
  signal: AbortSignal,
): CsvBlocks {
  const { dialect, columns } = description;
  const lineEnd = part?.lineEnd ?? null;
  const state = startScan(dialect, columns.length, LIMITS.siftRecordBytesMax, true);
  if (lineEnd !== null) {
    state.lineEnd = lineEnd === 'CR' ? CR : LF;
    state.crlf = lineEnd === 'CR LF';
  }
  const blocking = { file, description, state, blockBytes: LIMITS.directBlockBytes };
  if (part !== null) {
    const range = byteRange(file, part, { signal });
    const blocks = blocksOf(blocking, range.chunks);
    return { blocks, bytesRead: () => range.bytesRead(), contentHash: () => null };
  }
  const source = decompressed(file, { signal });
  const passed: PassedHead = { bytes: 0, lines: 0 };
  const data = withoutHead(source.chunks, dialect, passed);
  const blocks = blocksOf(blocking, data);
  return { blocks, bytesRead: () => source.bytesRead(), contentHash: () => source.contentHash() };
}

const LF = 10;
const CR = 13;

/** How bytes become blocks. */
export interface Blocking {
  readonly file: SourceFile;
  readonly description: CsvDescription;
  readonly state: ScanState;
  /** A block ends with the chunk that makes it as large. */
  readonly blockBytes: number;
}

/** What is gathered for the next block. */
interface Gathered {
  /** Records before it. */
  readonly before: number;
  /** How records end, as far as they told before it. */
  readonly lineEnd: LineEnd | null;
  readonly pieces: Buffer[];
  readonly raw: Buffer[];
  bytes: number;
}

export async function* blocksOf(
  blocking: Blocking,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<CsvBlock> {
  const { file, state, blockBytes } = blocking;
  let gathered = gather(state, [], []);
  const source = chunks[Symbol.asyncIterator]();
  try {
    for (let ended = false; !ended;) {
      const next = await source.next();
      ended = next.done === true;
      try {
        if (next.done !== true) {
          gathered.raw.push(next.value);
          gathered.bytes += next.value.length;
        }
        const pieces = next.done === true ? finishScan(state) : scanChunk(state, next.value);
        gathered.pieces.push(...pieces);
      } catch (error) {
        if (!(error instanceof ScanProblem)) throw error;
        if (error.kind === 'record too long') throw tooLong(file, state);
        yield brokenBlock(blocking, gathered, source);
        return;
      }
      if (state.records === gathered.before) continue;
      if (!ended && gathered.bytes < blockBytes) continue;
      const rest = splitOff(state, gathered);
      yield wholeBlock(blocking, gathered);
      gathered = rest;
    }
  } finally {
    await source.return?.();
  }
}

/** The file may be right: whoever sends it by one COPY need not hold the record. */
function tooLong(file: SourceFile, { recordBytesMax }: ScanState): EtlError {
  return new EtlError(
    'ETL_LIMIT',
    `A record is longer than ${recordBytesMax} bytes.`,
    'Nothing need be done: the file is staged.',
    { file: file.name },
  );
}

function gather(state: ScanState, pieces: Buffer[], raw: Buffer[]): Gathered {
  const bytes = raw.reduce((sum, each) => sum + each.length, 0);
  return { before: state.records, lineEnd: lineEndOf(state), pieces, raw, bytes };
}

/** The beginning of a record that is not whole is for the next block. */
function splitOff(state: ScanState, { pieces, raw }: Gathered): Gathered {
  const unsent = state.offset + state.held.length - boundaryOf(state);
  return gather(state, takeTail(pieces, state.recordBytes), takeTail(raw, unsent));
}

/** Takes the last bytes away from the buffers, and returns them. */
function takeTail(buffers: Buffer[], bytes: number): Buffer[] {
  const tail: Buffer[] = [];
  for (let left = bytes; left > 0;) {
    const last = buffers.pop();
    if (last === undefined) break;
    const from = Math.max(0, last.length - left);
    if (from > 0) buffers.push(last.subarray(0, from));
    tail.unshift(last.subarray(from));
    left -= last.length - from;
  }
  return tail;
}

function wholeBlock({ description, state }: Blocking, gathered: Gathered): CsvBlock {
  const { before, lineEnd, pieces, raw } = gathered;
  const records = (): RecordCutter => cutRecords(each(raw), description, { lineEnd });
  const own = lineEndOf(state);
  // COPY sees to it that all lines of a block end in one way, so the last speaks for all.
  if (own !== endOf(pieces)) return { first: before + 1, count: null, pieces: [], records };
  return { first: before + 1, count: state.records - before, pieces, records };
}

function brokenBlock(
  { description }: Blocking,
  { before, lineEnd, raw }: Gathered,
  source: AsyncIterator<Buffer>,
): CsvBlock {
  const records = (): RecordCutter => cutRecords(each(raw, source), description, { lineEnd });
  return { first: before + 1, count: null, pieces: [], records };
}

function endOf(pieces: readonly Buffer[]): LineEnd {
  const own = Buffer.concat(pieces.slice(-2).map((piece) => piece.subarray(-2))).toString('latin1');
  return own.endsWith('\r\n') ? 'CR LF' : own.endsWith('\n') ? 'LF' : 'CR';
}

async function* each(
  buffers: readonly Buffer[],
  rest?: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer> {
  yield* buffers;
  if (rest === undefined) return;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
