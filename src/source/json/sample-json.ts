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
  const { blocks, complete, fileBytes } = await sampleRecords(
    file,
    description,
    { bytesMax, seed },
    (json, at) => readRecord(json, fields, at),
    (block) => {
      const own: SampledRow[] = [];
      rows[block] = own;
      return (json) => {
        own.push(rowOf(json, fields.starts, fields.ends));
        return true;
      };
    },
  );
  const records = blocks.reduce((sum, block) => sum + block.records, 0);
  const bytes = blocks.reduce((sum, block) => sum + block.bytes, 0);
  const share = Math.max(1, Math.floor(rowsMax / blocks.length));
  const kept = rows.flatMap((own) => spread(own, share));
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

function rowOf({ bytes }: JsonBytes, starts: Int32Array, ends: Int32Array): SampledRow {
  const values: (string | null)[] = [];
  const strings: boolean[] = [];
  for (const [slot, start] of starts.entries()) {
    const isNull = start === MISSING || bytes[start] === SMALL_N;
    values.push(isNull ? null : valueText(bytes, start, ends[slot] ?? start));
    strings.push(!isNull && bytes[start] === QUOTE);
  }
  return { values, strings };
}

/** So many rows, at equal distances. */
function spread(rows: readonly SampledRow[], most: number): readonly SampledRow[] {
  if (rows.length <= most) return rows;
  return Array.from({ length: most }, (_, index) =>
    present(rows[Math.floor((index * rows.length) / most)], 'a sampled row'),
  );
}
