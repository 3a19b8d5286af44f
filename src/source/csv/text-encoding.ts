import { TextDecoder } from 'node:util';
import { EtlError } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import type { SourceFile } from '../source-file.ts';

/**
 * Encodings by PostgreSQL's names (`utf8`, `latin1`, `win1252`, `sjis` …), decoded by Node's
 * TextDecoder where text is needed: for headers, samples and the row path. On the byte path COPY
 * itself converts.
 */

/** PostgreSQL's own reading of an encoding name: letters and digits only, in lower case. */
export function cleanEncodingName(encoding: string): string {
  const clean = encoding.toLowerCase().replace(/[^a-z0-9]/g, '');
  return clean === 'unicode' ? 'utf8' : clean;
}

/** COPY knows no UTF-16, so such files take the row path. */
export function isUtf16(encoding: string): boolean {
  return encoding === 'utf16le' || encoding === 'utf16be';
}

/** Whether a byte below 0x80 is that character of ASCII, and no part of another one. */
export function keepsAscii(encoding: string): boolean {
  return ASCII_SAFE.test(encoding);
}

const ASCII_SAFE =
  /^(?:utf8|sqlascii|latin\d+|iso8859\d+|(?:win|windows)(?:125\d|866|874)|koi8r?|koi8u|euc(?:jp|cn|kr|tw|jis2004))$/;

/** Decodes chunk by chunk, characters across borders included. @throws EtlError ETL_FILE_FORMAT */
export async function* toUtf8(
  file: SourceFile,
  chunks: AsyncIterable<Buffer>,
  encoding: string,
): AsyncGenerator<Buffer> {
  const decoder = decoderOf(encoding);
  for await (const chunk of chunks) {
    yield Buffer.from(checked(file, encoding, () => decoder.decode(chunk, { stream: true })));
  }
  const rest = checked(file, encoding, () => decoder.decode());
  if (rest !== '') yield Buffer.from(rest);
}

/**
 * The text of bytes, which may end inside a character where they are `cut`: it is left out. Where bad
 * bytes are the fault of a row, they are shown as U+FFFD.
 *
 * @throws EtlError ETL_FILE_FORMAT where the bytes are not of the encoding
 */
export function decodeText(
  file: SourceFile,
  bytes: Buffer,
  encoding: string,
  cut: boolean,
): string {
  const decoder = decoderOf(encoding, file.badBytes !== 'of a row');
  return checked(file, encoding, () => decoder.decode(bytes, { stream: cut }));
}

function checked(file: SourceFile, encoding: string, decode: () => string): string {
  try {
    return decode();
  } catch (error) {
    throw new EtlError(
      'ETL_FILE_FORMAT',
      `The file has bytes that are not ${encoding}.`,
      remedy`Name the encoding of the file, for example ${setting('csv.encoding', 'latin1')}, win1252 or utf16le.`,
      { file: file.name },
      { cause: error },
    );
  }
}

/** @throws EtlError ETL_JOB_INVALID where nobody knows the encoding; `setting` is what asks for it */
export function refuseEncoding(encoding: string, setting: string): void {
  decoderOf(encoding, true, setting);
}

export interface Decoder {
  /** The text of the bytes; without any, what is left of those before. */
  decode(bytes?: Buffer, options?: { readonly stream?: boolean }): string;
}

/**
 * What stands for the bytes 80 to 9F, as PostgreSQL has it; U+FFFD: nothing does. The runtime means
 * either of the two by both of their names, and which one depends on its version.
 */
const WIN1252 = '€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ';
const SINGLE_BYTES: Readonly<Record<string, string | null>> = {
  latin1: null,
  iso88591: null,
  win1252: WIN1252,
  windows1252: WIN1252,
};

function singleByteDecoder(high: string | null, fatal: boolean): Decoder {
  return {
    decode: (bytes) => {
      const text = bytes?.toString('latin1') ?? '';
      if (high === null) return text;
      const told = text.replaceAll(/[\x80-\x9f]/g, (one) => high[one.charCodeAt(0) - 0x80] ?? '');
      if (fatal && told.includes('\ufffd')) throw new TypeError('a byte that means nothing');
      return told;
    },
  };
}

/** Decoder that drops a byte-order mark, and with `fatal` throws at bytes that are not of the encoding. */
export function decoderOf(encoding: string, fatal = true, setting = 'csv.encoding'): Decoder {
  const bytes = SINGLE_BYTES[encoding];
  if (bytes !== undefined) return singleByteDecoder(bytes, fatal);
  try {
    return new TextDecoder(labelOf(encoding), { fatal });
  } catch {
    throw new EtlError(
      'ETL_JOB_INVALID',
      `The encoding "${encoding}" is not known.`,
      `Set ${setting} to utf8, utf16le, or a name that PostgreSQL knows, such as latin1 or win1252.`,
    );
  }
}

/** The number of ISO 8859 for PostgreSQL's latin1 to latin10. */
const iso8859 = [1, 2, 3, 4, 9, 10, 13, 14, 15, 16];
const labels: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
  win866: 'ibm866',
  koi8r: 'koi8-r',
  koi8u: 'koi8-u',
  eucjp: 'euc-jp',
  euckr: 'euc-kr',
  euccn: 'gb2312',
  uhc: 'euc-kr',
};

function labelOf(encoding: string): string {
  const latin = /^latin([0-9]+)$/.exec(encoding);
  if (latin !== null) return `iso-8859-${iso8859[Number(latin[1]) - 1] ?? 0}`;
  const iso = /^iso8859([0-9]+)$/.exec(encoding);
  if (iso !== null) return `iso-8859-${iso[1] ?? ''}`;
  const windows = /^(?:win|windows)(125[0-8]|874)$/.exec(encoding);
  if (windows !== null) return `windows-${windows[1] ?? ''}`;
  return labels[encoding] ?? encoding;
}
