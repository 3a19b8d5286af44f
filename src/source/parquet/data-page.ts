import type { CompressionCodec, PageHeader } from 'hyparquet';
import { decompressPage } from './decompress-page.ts';
import { decodeRuns } from './level-runs.ts';
import { decodeValues } from './page-values.ts';
import type { EncodedValues } from './page-values.ts';
import { FRESH_MEMORY } from './page-memory.ts';
import type { PageMemory } from './page-memory.ts';
import { PageFault } from './parquet-fault.ts';
import type { LeafNode } from './parquet-schema.ts';
import type { PhysicalValues } from './plain-values.ts';

/** One data page. An entry is a value, a null, or a place where a list is empty or absent. */
export interface DataPage extends EncodedValues {
  readonly entries: number;
  /** Definition level of each entry; null where every entry has a value. */
  readonly definitions: Uint8Array | null;
  /** Repetition level of each entry; null where nothing repeats. */
  readonly repetitions: Uint8Array | null;
  /** Decoded bytes, for estimates. */
  readonly bytes: number;
}

export function decodePage(
  leaf: LeafNode,
  header: PageHeader,
  raw: Uint8Array,
  codec: CompressionCodec,
  dictionary: PhysicalValues | null,
  memory: PageMemory = FRESH_MEMORY,
): DataPage {
  const page = header.data_page_header_v2 === undefined ? pageOfV1 : pageOfV2;
  const { encoding, bytes, offset, entries, repetitions, definitions } = page(
    leaf,
    header,
    raw,
    codec,
    memory,
  );
  const present = definitions === null ? entries : countLevel(definitions, leaf.definition);
  const all = present === entries;
  return {
    ...decodeValues(leaf, encoding, bytes, offset, present, dictionary, memory),
    entries,
    definitions: all ? null : definitions,
    repetitions,
    bytes: header.uncompressed_page_size,
  };
}

interface Levels {
  readonly encoding: Parameters<typeof decodeValues>[1];
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly entries: number;
  readonly repetitions: Uint8Array | null;
  readonly definitions: Uint8Array | null;
}

/** Version 1: levels and values are compressed together, each kind of level has its length. */
function pageOfV1(
  leaf: LeafNode,
  header: PageHeader,
  raw: Uint8Array,
  codec: CompressionCodec,
  memory: PageMemory,
): Levels {
  const v1 = header.data_page_header;
  if (v1 === undefined) throw new PageFault('the header of a page is damaged');
  const bytes = decompressPage(raw, header.uncompressed_page_size, codec, memory);
  let offset = 0;

  function levels(max: number, encoding: string | undefined): Uint8Array | null {
    if (max === 0) return null;
    if (encoding === 'BIT_PACKED') {
      throw new PageFault('levels in the encoding BIT_PACKED', 'ETL_PARQUET_UNSUPPORTED');
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = offset + 4 + view.getUint32(offset, true);
    if (end > bytes.length) throw new PageFault('the levels of a page are damaged');
    const out = decodeLevels(bytes, offset + 4, end, max, memory.bytes(v1?.num_values ?? 0));
    offset = end;
    return out;
  }

  const repetitions = levels(leaf.repetition, v1.repetition_level_encoding);
  const definitions = levels(leaf.definition, v1.definition_level_encoding);
  const { encoding, num_values: entries } = v1;
  return { encoding, bytes, offset, entries, repetitions, definitions };
}

/** Version 2: the levels lie in front, never compressed, their lengths in the header. */
function pageOfV2(
  leaf: LeafNode,
  header: PageHeader,
  raw: Uint8Array,
  codec: CompressionCodec,
  memory: PageMemory,
): Levels {
  const v2 = header.data_page_header_v2;
  if (v2 === undefined) throw new PageFault('the header of a page is damaged');
  const { encoding, num_values: entries } = v2;
  const repetitionBytes = v2.repetition_levels_byte_length;
  const levelBytes = repetitionBytes + v2.definition_levels_byte_length;
  const size = header.uncompressed_page_size - levelBytes;
  if (!(repetitionBytes >= 0 && levelBytes >= repetitionBytes && levelBytes <= raw.length)) {
    throw new PageFault('the levels of a page are damaged');
  }
  if (size < 0) throw new PageFault('the header of a page is damaged');
  const levels = (max: number, from: number, to: number): Uint8Array | null =>
    max === 0 ? null : decodeLevels(raw, from, to, max, memory.bytes(entries));
  const repetitions = levels(leaf.repetition, 0, repetitionBytes);
  const definitions = levels(leaf.definition, repetitionBytes, levelBytes);
  const compressed = v2.is_compressed !== false;
  const values = raw.subarray(levelBytes);
  const bytes = decompressPage(values, size, compressed ? codec : 'UNCOMPRESSED', memory);
  return { encoding, bytes, offset: 0, entries, repetitions, definitions };
}

function decodeLevels(
  bytes: Uint8Array,
  from: number,
  to: number,
  max: number,
  levels: Uint8Array,
): Uint8Array {
  const bits = 32 - Math.clz32(max);
  decodeRuns(bytes, from, to, bits, levels);
  // Where as many levels as the bits can say may be, none is too high.
  if (max === 2 ** bits - 1) return levels;
  for (let i = 0; i < levels.length; i++) {
    if ((levels[i] ?? 0) > max) throw new PageFault('the levels of a page are damaged');
  }
  return levels;
}

function countLevel(levels: Uint8Array, level: number): number {
  let count = 0;
  for (let i = 0; i < levels.length; i++) if (levels[i] === level) count++;
  return count;
}
