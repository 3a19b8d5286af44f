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
import type { PageMemory } from './page-memory.ts';
import { PageFault, parquetErrorOf, unsupportedError } from './parquet-fault.ts';
import type { ParquetPlace } from './parquet-fault.ts';
import type { LeafNode } from './parquet-schema.ts';
import { plainValues } from './plain-values.ts';
import type { PhysicalValues } from './plain-values.ts';
import { rangeOfChunk } from './row-group-bytes.ts';

export interface PageReader {
  /** The next page that has an entry; null at the end of the chunk. */
  next(): Promise<DataPage | null>;
  /**
   * Skips pages that lie wholly within the next `entries` entries, without decoding them; returns
   * how many entries those had.
   */
  skip(entries: number): Promise<number>;
}

export interface ChunkPlace {
  readonly rowGroup: number;
  /** Name of the top-level column, for messages. */
  readonly column: string;
  /** Bytes of one read from the file. */
  readonly readBytes: number;
  readonly meter: ReadMeter;
  /** What the column's pages are read into and decode to; no other column's. */
  readonly memory: PageMemory;
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
  const place = { file: parquet.file.name, column: options.column, rowGroup: options.rowGroup };
  const meta = chunkOf(parquet, leaf, place);
  const bytes = chunkBytes(parquet, meta, options, place);
  const held = heldMemory(options.meter, place);
  let dictionary: PhysicalValues | null = null;
  let entriesLeft = Number(meta.num_values);
  let header: PageHeader | null = null;

  /** Releases the page before, reads dictionaries, and stops at the header of a data page. */
  async function nextHeader(): Promise<PageHeader | null> {
    while (header === null) {
      held.releasePage();
      if (entriesLeft === 0) {
        held.releaseDictionary();
        return null;
      }
      const next = await bytes.header();
      if (next === null) throw new PageFault(`${entriesLeft} of its values are missing`);
      if (next.type === 'DICTIONARY_PAGE') {
        dictionary = await readDictionary(leaf, meta, bytes, next, held);
      } else if (next.type === 'DATA_PAGE' || next.type === 'DATA_PAGE_V2') {
        header = next;
      } else {
        bytes.skip(next.compressed_page_size);
      }
    }
    return header;
  }

  async function next(): Promise<DataPage | null> {
    for (;;) {
      const current = await nextHeader();
      if (current === null) return null;
      const entries = leave(current);
      held.page(current, entries);
      const raw = await checkedBytes(bytes, current);
      if (entries === 0) continue;
      options.memory.nextPage();
      return decodePage(leaf, current, raw, meta.codec, dictionary, options.memory);
    }
  }

  async function skip(limit: number): Promise<number> {
    let skipped = 0;
    for (;;) {
      const current = await nextHeader();
      if (current === null || skipped + entriesOf(current) > limit) return skipped;
      skipped += leave(current);
      bytes.skip(current.compressed_page_size);
    }
  }

  /** Goes past a page; returns its number of entries. */
  function leave(current: PageHeader): number {
    header = null;
    const entries = entriesOf(current);
    entriesLeft -= entries;
    if (entriesLeft < 0) throw new PageFault('its pages have more values than stated');
    return entries;
  }

  await explained(place, () => prepareCodec(meta.codec));
  return {
    next: () => explained(place, next),
    skip: (entries) => explained(place, () => skip(entries)),
  };
}

async function readDictionary(
  leaf: LeafNode,
  meta: ColumnMetaData,
  bytes: ChunkBytes,
  header: PageHeader,
  held: HeldMemory,
): Promise<PhysicalValues> {
  const count = header.dictionary_page_header?.num_values ?? -1;
  held.dictionary(header, count);
  const raw = await checkedBytes(bytes, header);
  const page = decompressPage(raw, header.uncompressed_page_size, meta.codec);
  return plainValues(leaf, page, 0, count);
}

async function explained<T>(place: ParquetPlace, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw parquetErrorOf(error, place);
  }
}

interface HeldMemory {
  page(header: PageHeader, entries: number): void;
  dictionary(header: PageHeader, entries: number): void;
  releasePage(): void;
  releaseDictionary(): void;
}

/**
 * Counts what decoding will hold, before it does: 8 bytes for an entry's levels and index, since
 * a page of a few bytes may stand for any number of them.
 */
function heldMemory(meter: ReadMeter, place: ParquetPlace): HeldMemory {
  let pageBytes = 0;
  let dictionaryBytes = 0;

  function hold(header: PageHeader, entries: number): number {
    const size = header.uncompressed_page_size;
    if (!(entries >= 0 && size >= 0)) throw new PageFault('the header of a page is damaged');
    const bytes = Math.max(size, entries * 8);
    meter.heldBytes += bytes;
    if (meter.heldBytes > LIMITS.parquetRowGroupBytesMax) throw tooLarge(place, meter.heldBytes);
    return bytes;
  }

  return {
    page(header, entries) {
      pageBytes += hold(header, entries);
    },
    dictionary(header, entries) {
      dictionaryBytes += hold(header, entries);
    },
    releasePage() {
      meter.heldBytes -= pageBytes;
      pageBytes = 0;
    },
    releaseDictionary() {
      meter.heldBytes -= dictionaryBytes;
      dictionaryBytes = 0;
    },
  };
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

function chunkBytes(
  parquet: OpenParquet,
  meta: ColumnMetaData,
  options: ChunkPlace,
  place: ParquetPlace,
): ChunkBytes {
  if (meta.num_values === 0n) return openChunkBytes(parquet, 0, 0, options);
  const { start, size, end } = rangeOfChunk(meta);
  if (!(start >= 4 && size >= 0 && start + size <= parquet.file.bytes)) {
    throw parquetErrorOf(new PageFault('its column chunk lies outside of the file'), place);
  }
  return openChunkBytes(parquet, start, Math.min(end, parquet.file.bytes), options);
}

async function checkedBytes(bytes: ChunkBytes, header: PageHeader): Promise<Uint8Array> {
  const raw = await bytes.take(header.compressed_page_size);
  if (header.crc !== undefined && header.crc >>> 0 !== crc32(raw)) {
    throw new PageFault('the checksum of a page does not match its bytes');
  }
  return raw;
}

function entriesOf({ data_page_header: v1, data_page_header_v2: v2 }: PageHeader): number {
  const entries = (v1 ?? v2)?.num_values ?? -1;
  if (!(entries >= 0)) throw new PageFault('the header of a page is damaged');
  return entries;
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
