import { open } from 'node:fs/promises';
import { LIMITS } from '../../limits.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { endOfRecord, findDataStart, nextLine } from './data-start.ts';
import type { LineEnd } from './scan-state.ts';
import { splitRecords } from './split-records.ts';

/** A place where a record seems to begin. */
export interface GuessedCut {
  /** Offset in the file. */
  readonly at: number;
  /** What the wanted field of that record says. */
  readonly key: string;
}

export interface GuessedCuts {
  /** Offset of the first data record. */
  readonly dataStart: number;
  /** How the first data record ends. */
  readonly lineEnd: LineEnd;
  readonly cuts: readonly GuessedCut[];
}

/** Lines that are looked at behind an offset. */
const LINES_MAX = 200;
const BLOCK_BYTES = 64 * 1024;

/**
 * Where near each of `near` (offsets in the file, ascending) a record seems to begin whose key is another
 * than that of the record before. A guess, since a quote may be open at any byte: whoever reads up to a
 * cut by the scanner knows whether a record ends there, and if each part of a file does, all are right.
 *
 * A guess reads 64 kB, where a search that is certain (find-parts.ts) reads all that comes before.
 *
 * @param field index of the field that is the key
 * @returns null where nothing looks like it
 * @throws Error what reading throws
 */
export async function guessCuts(
  file: Pick<SourceFile, 'path'>,
  description: CsvDescription,
  near: readonly number[],
  field: number,
): Promise<GuessedCuts | null> {
  await using handle = await open(file.path);
  const read = async (offset: number, bytes: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, offset);
    return buffer.subarray(0, bytesRead);
  };
  const head = await inBlocks(read, 0, (block) => headOf(block, description));
  if (head === null) return null;
  const cuts: GuessedCut[] = [];
  for (const offset of near) {
    const from = Math.max(offset, head.dataStart);
    const cut = await inBlocks(read, from, (block) =>
      cutIn(block, head.lineEnd, description, field),
    );
    if (cut === null) return null;
    cuts.push({ ...cut, at: from + cut.at });
  }
  return { ...head, cuts };
}

/** What is found in a small block, else in a large one. */
async function inBlocks<T>(
  read: (offset: number, bytes: number) => Promise<Buffer>,
  offset: number,
  find: (block: Buffer) => T | null,
): Promise<T | null> {
  return (
    find(await read(offset, BLOCK_BYTES)) ?? find(await read(offset, 2 * LIMITS.headerBytesMax))
  );
}

const LF = 10;
const CR = 13;

function headOf(
  block: Buffer,
  { dialect }: CsvDescription,
): Pick<GuessedCuts, 'dataStart' | 'lineEnd'> | null {
  const start = findDataStart(block, dialect, false);
  if (start === null) return null;
  const end = endOfRecord(block, start.dataStart, dialect);
  if (end === null || end + 1 >= block.length) return null;
  const { dataStart } = start;
  if (block[end] === LF) return { dataStart, lineEnd: 'LF' };
  return { dataStart, lineEnd: block[end + 1] === LF ? 'CR LF' : 'CR' };
}

/** Line by line, until two records follow each other that have all fields, and different keys. */
function cutIn(
  block: Buffer,
  lineEnd: LineEnd,
  { dialect, columns }: CsvDescription,
  field: number,
): GuessedCut | null {
  const wanted = { dialect, columns: columns.length, fields: [field] };
  const lineEndByte = lineEnd === 'CR' ? CR : LF;
  const lineAfter = (from: number): number => block.indexOf(lineEndByte, from) + 1;
  let before: string | null = null;
  let at = lineAfter(0);
  for (let line = 0; at > 0 && line < LINES_MAX; line++) {
    const end = endOfRecord(block, at, dialect);
    const next = end === null ? null : nextLine(block, end, false);
    // Without its line end, which may be a single CR.
    const record = end === null || next === null ? null : block.subarray(at, end);
    const records = record === null ? null : splitRecords(record, wanted);
    const key = records?.records === 1 ? (records.rows[0]?.[0] ?? null) : null;
    if (key !== null && before !== null && key !== before) return { at, key };
    // Behind what is no record, a quote of it may have been taken the wrong way round.
    at = key === null || next === null ? lineAfter(at) : next;
    before = key;
  }
  return null;
}
