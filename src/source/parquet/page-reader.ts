import type { ColumnMetaData, PageHeader } from 'hyparquet';
import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { openChunkBytes } from './chunk-bytes.ts';
import type { ChunkBytes, ReadMeter } from './chunk-bytes.ts';
import { decodePage } from './data-page.ts';
import type { DataPage } from './data-page.ts';
import { decompressPage, prepareCodec } from './decompress-page.ts';
import type { OpenParquet } from './open-parquet.ts';
import { crc32 } from './page-crc.ts';
import { PageFault, parquetErrorOf, unsupportedError } from './parquet-fault.ts';
import type { ParquetPlace } from './parquet-fault.ts';
import type { LeafNode } from './parquet-schema.ts';
import { plainValues } from './plain-values.ts';
import type { PhysicalValues } from './plain-values.ts';

export interface PageReader {
  /** The next page that has an entry; null at the end of the chunk. */
  next(): Promise<DataPage | null>;
  /**
   * Skips pages that lie wholly within the next `rows` rows, without decoding them; returns how
   * many rows those were. Nothing is skipped where only levels tell the rows of a page.
   */
  skip(rows: number): Promise<number>;
}

export interface ChunkPlace {
  readonly rowGroup: number;
  /** Name of the top-level column, for messages. */
  readonly column: string;
  /** Bytes of one read from the file. */
  readonly readBytes: number;
  readonly meter: ReadMeter;
}

/**
 * The pages of one column chunk, one at a time, with checks that readers of the field leave out:
 * CRCs where the writer made them, the numbers of values, and indexes within their dictionary.
 * Corrupt files come through as rows otherwise.
 *
 * Everything here throws EtlError: ETL_PARQUET_CORRUPT, ETL_PARQUET_UNSUPPORTED, ETL_LIMIT.
 */
export async function openPages(
  parquet: OpenParquet,
  leaf: LeafNode,
  options: ChunkPlace,
): Promise<PageReader> {
  const { column, rowGroup, meter } = options;
  const place: ParquetPlace = { file: parquet.file.name, column, rowGroup };
  const meta = chunkOf(parquet, leaf, place);
  const bytes = chunkBytes(parquet, meta, options, place);
  let dictionary: PhysicalValues | null = null;
  let entriesLeft = Number(meta.num_values);
  let pageBytes = 0;
  let dictionaryBytes = 0;
  let header: PageHeader | null = null;

  /** Releases the page before, reads dictionaries, and stops at the header of a data page. */
  async function nextHeader(): Promise<PageHeader | null> {
    while (header === null) {
      meter.heldBytes -= pageBytes;
      pageBytes = 0;
      if (entriesLeft === 0) {
        meter.heldBytes -= dictionaryBytes;
        dictionaryBytes = 0;
        return null;
      }
      const next = await bytes.header();
      if (next === null) throw new PageFault(`${entriesLeft} of its values are missing`);
      if (next.type === 'DICTIONARY_PAGE') {
        dictionary = await readDictionary(next);
      } else if (next.type === 'DATA_PAGE' || next.type === 'DATA_PAGE_V2') {
        header = next;
      } else {
        bytes.skip(next.compressed_page_size);
      }
    }
    return header;
  }

  async function readDictionary(next: PageHeader): Promise<PhysicalValues> {
    const { num_values: count } = next.dictionary_page_header ?? { num_values: -1 };
    hold(next, count);
    dictionaryBytes += pageBytes;
    pageBytes = 0;
    const raw = await checkedBytes(bytes, next);
    const page = decompressPage(raw, next.uncompressed_page_size, meta.codec);
    return plainValues(leaf, page, 0, count);
  }

  /** Counts what decoding will hold, before it does: 8 bytes per entry for levels and indexes. */
  function hold(next: PageHeader, entries: number): void {
    const size = next.uncompressed_page_size;
    if (!(entries >= 0 && size >= 0)) throw new PageFault('the header of a page is damaged');
    pageBytes = Math.max(size, entries * 8);
    meter.heldBytes += pageBytes;
    if (meter.heldBytes > LIMITS.parquetRowGroupBytesMax) throw tooLarge(place, meter.heldBytes);
  }

  async function next(): Promise<DataPage | null> {
    for (;;) {
      const current = await nextHeader();
      if (current === null) return null;
      header = null;
      const entries = entriesOf(current);
      hold(current, entries);
      if (entries > entriesLeft) throw new PageFault('its pages have more values than stated');
      const raw = await checkedBytes(bytes, current);
      entriesLeft -= entries;
      if (entries > 0) return decodePage(leaf, current, raw, meta.codec, dictionary);
    }
  }

  async function skip(rows: number): Promise<number> {
    let skipped = 0;
    for (;;) {
      const current = await nextHeader();
      const pageRows = current === null ? null : rowsOf(leaf, current);
      if (current === null || pageRows === null || skipped + pageRows > rows) return skipped;
      header = null;
      entriesLeft -= entriesOf(current);
      if (entriesLeft < 0) throw new PageFault('its pages have more values than stated');
      bytes.skip(current.compressed_page_size);
      skipped += pageRows;
    }
  }

  async function explained<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw parquetErrorOf(error, place);
    }
  }

  await explained(() => prepareCodec(meta.codec));
  return { next: () => explained(next), skip: (rows) => explained(() => skip(rows)) };
}

function chunkOf(parquet: OpenParquet, leaf: LeafNode, place: ParquetPlace): ColumnMetaData {
  const chunk = parquet.footer.row_groups[place.rowGroup ?? 0]?.columns[leaf.chunkIndex];
  if (chunk?.crypto_metadata !== undefined) {
    throw unsupportedError('the column is encrypted', place);
  }
  if (chunk?.file_path !== undefined && chunk.file_path !== '') {
    throw unsupportedError('its values lie in another file', place);
  }
  const meta = chunk?.meta_data;
  if (meta?.type !== leaf.physical || meta.num_values < 0n) {
    throw parquetErrorOf(new PageFault('its column chunk does not match the schema'), place);
  }
  return meta;
}

/** Old writers left the header of the dictionary out of the chunk's size (PARQUET-816). */
const SIZE_SLACK = 100;

function chunkBytes(
  parquet: OpenParquet,
  meta: ColumnMetaData,
  options: ChunkPlace,
  place: ParquetPlace,
): ChunkBytes {
  if (meta.num_values === 0n) return openChunkBytes(parquet, 0, 0, 0, options.meter);
  const dataStart = Number(meta.data_page_offset);
  const dictionaryStart = Number(meta.dictionary_page_offset ?? 0n);
  const start = dictionaryStart > 0 ? Math.min(dictionaryStart, dataStart) : dataStart;
  const size = Number(meta.total_compressed_size);
  if (!(start >= 4 && size >= 0 && start + size <= parquet.file.bytes)) {
    throw parquetErrorOf(new PageFault('its column chunk lies outside of the file'), place);
  }
  const end = Math.min(start + size + SIZE_SLACK, parquet.file.bytes);
  return openChunkBytes(parquet, start, end, options.readBytes, options.meter);
}

async function checkedBytes(bytes: ChunkBytes, header: PageHeader): Promise<Uint8Array> {
  const raw = await bytes.take(header.compressed_page_size);
  if (header.crc !== undefined && header.crc >>> 0 !== crc32(raw)) {
    throw new PageFault('the checksum of a page does not match its bytes');
  }
  return raw;
}

function entriesOf({ data_page_header: v1, data_page_header_v2: v2 }: PageHeader): number {
  return (v1 ?? v2)?.num_values ?? -1;
}

function rowsOf(leaf: LeafNode, header: PageHeader): number | null {
  if (leaf.repetition === 0) return entriesOf(header);
  return header.data_page_header_v2?.num_rows ?? null;
}

function tooLarge(place: ParquetPlace, bytes: number): EtlError {
  const limit = LIMITS.parquetRowGroupBytesMax;
  return new EtlError(
    'ETL_LIMIT',
    `Row group ${(place.rowGroup ?? 0) + 1} needs ${bytes} bytes at once, more than ${limit}.`,
    'Write the file again with smaller row groups or pages (DuckDB: ROW_GROUP_SIZE 100000).',
    { file: place.file, ...(place.column === undefined ? {} : { column: place.column }), limit },
  );
}
