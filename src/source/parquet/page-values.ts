import type { Encoding } from 'hyparquet';
import { deltaIntegers, deltaLengths, deltaPrefixes, splitStreams } from './delta-values.ts';
import { decodeRuns } from './level-runs.ts';
import { FRESH_MEMORY } from './page-memory.ts';
import type { PageMemory } from './page-memory.ts';
import { PageFault } from './parquet-fault.ts';
import type { LeafNode } from './parquet-schema.ts';
import { countOf, plainValues, tooShort } from './plain-values.ts';
import type { PhysicalValues } from './plain-values.ts';

/** Value i is `values[indexes[i]]`, or `values[i]` where there are no indexes. */
export interface EncodedValues {
  readonly values: PhysicalValues;
  readonly indexes: Uint32Array | null;
}

/**
 * Decodes `count` values (nulls are not stored) from `page[offset…]`. The page lies alone in its
 * ArrayBuffer, so reading past its end throws.
 */
export function decodeValues(
  leaf: LeafNode,
  encoding: Encoding,
  page: Uint8Array,
  offset: number,
  count: number,
  dictionary: PhysicalValues | null,
  memory: PageMemory = FRESH_MEMORY,
): EncodedValues {
  if (count === 0) return { values: plainValues(leaf, page, offset, 0), indexes: null };
  switch (encoding) {
    case 'PLAIN':
      return { values: plainValues(leaf, page, offset, count, memory), indexes: null };
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      return dictionaryValues(page, offset, count, dictionary, memory);
    case 'RLE':
      return { values: runBooleans(leaf, page, offset, count), indexes: null };
    case 'DELTA_BINARY_PACKED':
      return { values: deltaIntegers(leaf, page, offset, count), indexes: null };
    case 'DELTA_LENGTH_BYTE_ARRAY':
      return { values: deltaLengths(leaf, page, offset, count), indexes: null };
    case 'DELTA_BYTE_ARRAY':
      return { values: deltaPrefixes(leaf, page, offset, count), indexes: null };
    case 'BYTE_STREAM_SPLIT':
      return { values: splitStreams(leaf, page, offset, count), indexes: null };
    case 'BIT_PACKED':
    case 'GROUP_VAR_INT':
    default:
      throw new PageFault(
        `the encoding ${(encoding as string | undefined) ?? '(unknown)'} is not supported`,
        'ETL_PARQUET_UNSUPPORTED',
      );
  }
}

function dictionaryValues(
  page: Uint8Array,
  offset: number,
  count: number,
  dictionary: PhysicalValues | null,
  memory: PageMemory,
): EncodedValues {
  if (dictionary === null) throw new PageFault('a page needs a dictionary and there is none');
  const bitWidth = page[offset];
  if (bitWidth === undefined) throw tooShort();
  const indexes = memory.words(count);
  decodeRuns(page, offset + 1, page.length, bitWidth, indexes);
  const entries = countOf(dictionary);
  for (let i = 0; i < count; i++) {
    if ((indexes[i] ?? 0) >= entries) {
      throw new PageFault(`a page points behind the end of its dictionary of ${entries} values`);
    }
  }
  return { values: dictionary, indexes };
}

/** Booleans as runs, with their length in front. */
function runBooleans(
  leaf: LeafNode,
  page: Uint8Array,
  offset: number,
  count: number,
): PhysicalValues {
  if (leaf.physical !== 'BOOLEAN') throw new PageFault(`${leaf.physical} encoded as RLE`);
  const data = new Uint8Array(count);
  decodeRuns(page, offset + 4, page.length, 1, data);
  return { kind: 'boolean', data };
}
