import { EtlError } from '../../errors.ts';
import type { SourceFile } from '../source-file.ts';

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
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    throw new EtlError(
      'ETL_FILE_FORMAT',
      'The file looks binary: it has a NUL byte.',
      'Set csv.encoding to utf16le if it is UTF-16 text; else take it out of the load.',
      { file: file.name },
    );
  }
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
