import { present } from '../../assert.ts';
import type { FileSample, JsonDescription, SourceFile } from '../source-file.ts';
import { fieldTree } from './field-tree.ts';
import type { JsonBytes } from './json-bytes.ts';
import { MISSING, readRecord, recordFields } from './read-record.ts';
import { sampleRecords } from './sampled-records.ts';
import { valueText } from './string-text.ts';

export interface JsonSampleOptions {
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly seed: number;
  /** Names of columns of the file, in the order wanted. */
  readonly columns: readonly string[];
}

/**
 * Some records of a JSON file, in the file's order. Reading stops without a word at what is no JSON,
 * for a sample is for choosing how to load, never for what is loaded.
 *
 * @throws EtlError what reading throws
 */
export async function sampleJson(
  file: SourceFile,
  description: JsonDescription,
  { rowsMax, bytesMax, seed, columns }: JsonSampleOptions,
): Promise<FileSample> {
  const pointers = columns.map(
    (name) =>
      present(
        description.columns.find((column) => column.name === name),
        `column ${name}`,
      ).pointer,
  );
  const fields = recordFields(fieldTree(pointers), pointers.length, false);
  const rows: SampledRow[][] = [];
  const places = new RecordPlaces(pointers.length);
  const takePlaces = (blocksThere: number): void => {
    rows.push(places.spread(Math.max(1, Math.floor(rowsMax / blocksThere))));
  };
  const { blocks, complete, fileBytes } = await sampleRecords(
    file,
    description,
    { bytesMax, seed },
    (json, at) => readRecord(json, fields, at),
    (block, blocksThere) => {
      if (block > 0) takePlaces(blocksThere);
      return (json) => {
        places.add(json, fields.starts, fields.ends);
        return true;
      };
    },
  );
  takePlaces(blocks.length);
  const records = blocks.reduce((sum, block) => sum + block.records, 0);
  const bytes = blocks.reduce((sum, block) => sum + block.bytes, 0);
  const kept = rows.flat();
  return {
    columns,
    rows: kept.map(({ values }) => values),
    strings: kept.map(({ strings }) => strings),
    fileRows: complete ? records : Math.round((fileBytes * records) / Math.max(1, bytes)),
    fileRowsExact: complete,
    complete: complete && kept.length === records,
  };
}

interface SampledRow {
  readonly values: readonly (string | null)[];
  readonly strings: readonly boolean[];
}

const [QUOTE, SMALL_N] = [34, 110] as const;

/**
 * Where the values of a block's records lie, as numbers: only of the records that are kept are texts
 * made. Those of all records, three times as many, outlive V8's young generation and so stay until it looks
 * at the whole heap, which it puts off to some 300 MB: a million rows in ten files peaked at 500 MB.
 */
class RecordPlaces {
  readonly #width: number;
  #bytes: Buffer = Buffer.alloc(0);
  #places = new Int32Array(1024);
  #records = 0;

  constructor(columns: number) {
    this.#width = 2 * columns;
  }

  add({ bytes }: JsonBytes, starts: Int32Array, ends: Int32Array): void {
    const from = this.#records * this.#width;
    if (from + this.#width > this.#places.length) {
      const more = new Int32Array(2 * (from + this.#width));
      more.set(this.#places);
      this.#places = more;
    }
    this.#places.set(starts, from);
    this.#places.set(ends, from + starts.length);
    this.#bytes = bytes;
    this.#records += 1;
  }

  /** So many records, at equal distances; and is empty afterwards. */
  spread(most: number): SampledRow[] {
    const records = this.#records;
    const kept = Math.min(records, most);
    this.#records = 0;
    return Array.from({ length: kept }, (_, index) =>
      this.#rowAt(Math.floor((index * records) / kept)),
    );
  }

  #rowAt(record: number): SampledRow {
    const columns = this.#width / 2;
    const from = record * this.#width;
    const starts = this.#places.subarray(from, from + columns);
    const ends = this.#places.subarray(from + columns, from + this.#width);
    const bytes = this.#bytes;
    const isNull = (start: number): boolean => start === MISSING || bytes[start] === SMALL_N;
    return {
      values: Array.from(starts, (start, slot) =>
        isNull(start) ? null : valueText(bytes, start, ends[slot] ?? start),
      ),
      strings: Array.from(starts, (start) => !isNull(start) && bytes[start] === QUOTE),
    };
  }
}
