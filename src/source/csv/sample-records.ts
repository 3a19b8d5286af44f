import { open } from 'node:fs/promises';
import { decompressed } from '../compression.ts';
import type { CsvDescription, CsvDialect, SourceFile } from '../source-file.ts';
import { findDataStart } from './data-start.ts';

/** A field of a record as it stands in the file, its quotes taken off. */
export interface SpelledField {
  /** Null is NULL: the text of the dialect without quotes. */
  readonly text: string | null;
  readonly quoted: boolean;
}

/** Enough for some 80 records of common width. */
const BLOCK_BYTES = 8 * 1024;
const BLOCKS = 4;

/**
 * Some records of a CSV file with their spelling: of its head, of places in between, and of its tail; of
 * a compressed file, of its head. Records whose quotes do not close, or with line ends in a field, are left
 * out. @throws Error what reading throws
 */
export async function sampleRecords(
  file: SourceFile,
  { dialect, columns }: CsvDescription,
  recordsMax: number,
): Promise<SpelledField[][]> {
  const blocks = file.compression === 'none' ? await readBlocks(file) : [await readHead(file)];
  const perBlock = Math.max(1, Math.ceil(recordsMax / blocks.length));
  return blocks.flatMap((bytes, place) => {
    const start = place === 0 ? (findDataStart(bytes, dialect, true)?.dataStart ?? 0) : 0;
    const lines = bytes.subarray(start).toString('utf8').split('\n');
    // The last line may be cut off, and so may the first of a block in between.
    const whole = lines.slice(place === 0 ? 0 : 1, -1);
    const records = whole.flatMap((line) => {
      const fields = fieldsOf(line.endsWith('\r') ? line.slice(0, -1) : line, dialect);
      return fields?.length === columns.length ? [fields] : [];
    });
    return evenly(records, perBlock);
  });
}

async function readBlocks(file: SourceFile): Promise<Buffer[]> {
  await using handle = await open(file.path);
  const read = async (offset: number, bytes: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, offset);
    return buffer.subarray(0, bytesRead);
  };
  if (file.bytes <= 2 * BLOCKS * BLOCK_BYTES) return [await read(0, file.bytes)];
  const last = file.bytes - BLOCK_BYTES;
  const blocks: Buffer[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    blocks.push(await read(Math.floor((last * block) / (BLOCKS - 1)), BLOCK_BYTES));
  }
  return blocks;
}

async function readHead(file: SourceFile): Promise<Buffer> {
  const { chunks } = decompressed(file, { readBytes: BLOCK_BYTES });
  for await (const chunk of chunks) return chunk.subarray(0, BLOCKS * BLOCK_BYTES);
  return Buffer.alloc(0);
}

/** Null where a quote is not closed. */
function fieldsOf(line: string, dialect: CsvDialect): SpelledField[] | null {
  const { delimiter, quote } = dialect;
  const escape = dialect.escape ?? quote;
  const fields: SpelledField[] = [];
  let text = '';
  let quoted = false;
  let inQuotes = false;
  const end = (): void => {
    fields.push({ text: !quoted && text === dialect.null ? null : text, quoted });
    text = '';
    quoted = false;
  };
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    const next = line[at + 1];
    if (inQuotes && character === escape && (next === quote || next === escape)) {
      text += next;
      at += 1;
    } else if (quote !== null && character === quote) {
      inQuotes = !inQuotes;
      quoted = true;
    } else if (character === delimiter && !inQuotes) {
      end();
    } else {
      text += character;
    }
  }
  end();
  return inQuotes ? null : fields;
}

function evenly<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  const step = all.length / most;
  return Array.from({ length: most }, (_, place) => all[Math.floor(place * step)]).filter(
    (one): one is T => one !== undefined,
  );
}
