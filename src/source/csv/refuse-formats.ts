import { EtlError } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import type { SourceFile } from '../source-file.ts';
import { countByte } from './data-chunks.ts';

/**
 * Tells what a file is that is called CSV and is not, before its bytes become a baffling header.
 *
 * @throws EtlError ETL_FILE_FORMAT
 */
export function refuseOtherFormats(
  file: SourceFile,
  bytes: Buffer,
  read: 'first' | 'next' | 'json',
): void {
  const first = read !== 'next';
  const known = first ? signatures.find(({ magic }) => startsWith(bytes, magic)) : undefined;
  if (known !== undefined) {
    throw new EtlError('ETL_FILE_FORMAT', known.sentence, known.remedy, { file: file.name });
  }
  if (read === 'first') refuseMarkup(file, bytes, [HTML, JSON_TEXT]);
  if (looksBinary(bytes, first)) {
    throw new EtlError(
      'ETL_FILE_FORMAT',
      'The file looks binary: it has NUL bytes.',
      remedy`If it is UTF-16 text, say so with ${setting('csv.encoding', 'utf16le')}; else take it out of the load.`,
      { file: file.name },
    );
  }
}

/** Where a download or an export left something else in the place of a table. */
export function refuseMarkup(
  file: SourceFile,
  bytes: Buffer,
  refused: readonly Markup[] = [HTML],
): void {
  const found = refused.find(({ start }) => start.test(bytes.toString('latin1', 0, 64)));
  if (found === undefined) return;
  throw new EtlError('ETL_FILE_FORMAT', found.sentence, found.remedy, { file: file.name });
}

interface Markup {
  readonly start: RegExp;
  readonly sentence: string;
  readonly remedy: string;
}

const HTML: Markup = {
  start: /^(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|\?xml)\b/i,
  sentence: 'The file is a page of HTML, or XML.',
  remedy: 'Look into it: it may be the error page of a download. Fetch the data again.',
};

const JSON_TEXT: Markup = {
  start: /^(?:\xef\xbb\xbf)?\s*(?:\[\s*\{\s*["}]|\{\s*"[^"]*"\s*:)/,
  sentence: 'The file is JSON.',
  remedy: 'Let its name end in .json, or in .jsonl where each line is a record.',
};

/** A NUL in a header, or many: a single one further on is a bad row, whose line can be told. */
const NUL_SHARE_MAX = 0.01;

function looksBinary(bytes: Buffer, first: boolean): boolean {
  const nul = bytes.indexOf(0);
  if (nul < 0) return false;
  if (first && nul <= bytes.indexOf(10)) return true;
  return countByte(bytes, 0) > bytes.length * NUL_SHARE_MAX;
}

const utf16 = (order: 'le' | 'be') => ({
  sentence: `The file is UTF-16 (it starts with the byte-order mark of UTF-16${order.toUpperCase()}).`,
  remedy: remedy`Say so with ${setting('csv.encoding', `utf16${order}`)}.`,
});

const signatures = [
  { magic: [0xff, 0xfe], ...utf16('le') },
  { magic: [0xfe, 0xff], ...utf16('be') },
  {
    magic: [0x1f, 0x8b],
    sentence: 'The file is gzip data.',
    remedy: 'Add .gz to its name, so that it is decompressed.',
  },
  {
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    sentence: 'The file is Zstandard data.',
    remedy: 'Add .zst to its name, so that it is decompressed.',
  },
  {
    magic: [0x50, 0x41, 0x52, 0x31],
    sentence: 'The file is a Parquet file.',
    remedy: 'Let its name end in .parquet.',
  },
  {
    magic: [0x50, 0x4b, 0x03, 0x04],
    sentence: 'The file is a ZIP archive (or an Excel workbook).',
    remedy: 'Unpack it, or save it as CSV.',
  },
] as const;

function startsWith(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}
