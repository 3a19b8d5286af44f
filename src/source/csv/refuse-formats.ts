import { EtlError } from '../../errors.ts';
import type { SourceFile } from '../source-file.ts';
import { countByte } from './data-chunks.ts';

/**
 * Tells what a file is that is called CSV and is not, before its bytes become a baffling header.
 *
 * @throws EtlError ETL_FILE_FORMAT
 */
export function refuseOtherFormats(file: SourceFile, bytes: Buffer, first: boolean): void {
  const known = first ? signatures.find(({ magic }) => startsWith(bytes, magic)) : undefined;
  if (known !== undefined) {
    throw new EtlError('ETL_FILE_FORMAT', known.sentence, known.remedy, { file: file.name });
  }
  if (looksBinary(bytes, first)) {
    throw new EtlError(
      'ETL_FILE_FORMAT',
      'The file looks binary: it has NUL bytes.',
      'Set csv.encoding to utf16le if it is UTF-16 text; else take it out of the load.',
      { file: file.name },
    );
  }
}

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
  remedy: `Set csv.encoding to utf16${order}.`,
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
