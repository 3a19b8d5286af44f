import { crc32 } from 'node:zlib';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompressionCodec, Encoding, SchemaElement } from 'hyparquet';
import { Encodings } from 'hyparquet/src/constants.js';
import { ByteWriter } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';
import type { SourceFile } from '../../src/source/source-file.ts';

export interface CraftedPage {
  readonly kind: 'data' | 'dictionary';
  readonly encoding: Encoding;
  readonly count: number;
  readonly body: Uint8Array;
  /** Leaves the checksum out, or writes this one; by default it is right. */
  readonly crc?: number | null;
  /** Decoded bytes that the header claims; by default those of the body. */
  readonly claims?: number;
}

export interface CraftedColumn {
  readonly element: Omit<SchemaElement, 'name' | 'repetition_type'>;
  readonly name?: string;
  readonly pages: readonly CraftedPage[];
  /** What the footer says of the pages, whose bodies stay as they are given. */
  readonly codec?: CompressionCodec;
}

/**
 * A Parquet file of required, uncompressed columns, page by page as given: what no writer would
 * make, or makes only in other languages (checksums, INT96).
 */
export function craftParquet(columns: readonly CraftedColumn[], rows: number): Uint8Array {
  const writer = new ByteWriter();
  writer.appendBytes(Buffer.from('PAR1'));
  const chunks = columns.map(({ element, name = 'v', pages, codec = 'UNCOMPRESSED' }) => {
    const start = writer.offset;
    for (const page of pages) writePage(writer, page);
    const size = BigInt(writer.offset - start);
    return {
      file_offset: BigInt(start),
      meta_data: {
        type: element.type ?? ('INT32' as const),
        encodings: [...new Set(pages.map((page) => page.encoding))],
        path_in_schema: [name],
        codec,
        num_values: BigInt(rows),
        total_uncompressed_size: size,
        total_compressed_size: size,
        data_page_offset: BigInt(start),
      },
    };
  });
  const schema: SchemaElement[] = columns.map(({ element, name = 'v' }) => ({
    ...element,
    name,
    repetition_type: 'REQUIRED',
  }));
  writeMetadata(writer, {
    version: 1,
    schema: [{ name: 'root', num_children: columns.length }, ...schema],
    num_rows: BigInt(rows),
    row_groups: [{ columns: chunks, total_byte_size: 0n, num_rows: BigInt(rows) }],
    created_by: 'crafted',
    metadata_length: 0,
  });
  writer.appendBytes(Buffer.from('PAR1'));
  return writer.getBytes();
}

function writePage(writer: ByteWriter, page: CraftedPage): void {
  const { kind, count, body, crc = crc32(body) } = page;
  const encoding = Encodings.indexOf(page.encoding);
  const levels = Encodings.indexOf('RLE');
  serializeTCompactProtocol(writer, {
    field_1: kind === 'data' ? 0 : 2,
    field_2: page.claims ?? body.length,
    field_3: body.length,
    ...(crc === null ? {} : { field_4: crc | 0 }),
    ...(kind === 'data'
      ? { field_5: { field_1: count, field_2: encoding, field_3: levels, field_4: levels } }
      : { field_7: { field_1: count, field_2: encoding } }),
  });
  writer.appendBytes(body);
}

/** A folder for the files of one test. */
export interface ScratchFolder {
  write(name: string, bytes: Uint8Array): SourceFile;
  remove(): void;
}

export function scratchFolder(): ScratchFolder {
  const folder = mkdtempSync(join(tmpdir(), 'parquet-'));
  return {
    write(name, bytes) {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return {
        path,
        name,
        format: 'parquet',
        compression: 'none',
        bytes: bytes.length,
        mtimeMs: 0,
      };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
