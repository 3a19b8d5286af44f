import { present } from '../../assert.ts';
import { openCsvRecords } from '../../source/csv/csv-records.ts';
import type { CutBatch, RecordCutter } from '../../source/csv/cut-records.ts';
import { countCopyLines } from '../../source/csv/locate-record.ts';
import type { CsvDescription } from '../../source/source-file.ts';
import { csvCopySql } from '../../target/copy-sql.ts';
import { setFirstRow } from '../../target/staging.ts';
import { copyContextOf } from '../copy-error.ts';
import {
  reject,
  siftBatch,
  type Sift,
  type SiftedBatch,
  type SiftedRows,
  type SiftReading,
} from './sift-records.ts';
import type { CopyTarget } from '../copy-target.ts';

/** Stages a CSV file, or a part of it, without its bad records. */
export async function siftCsv(
  sift: Sift,
  description: CsvDescription,
  target: CopyTarget,
  options: SiftReading,
): Promise<SiftedRows> {
  const part = options.part?.kind === 'bytes' ? options.part : null;
  const before = part === null ? 0 : part.firstRecord - 1;
  const source = openCsvRecords(sift.file, description, part, { signal: options.signal });
  const copy = numberedCopy(sift, target, csvSql(description, target));
  try {
    const rows = await siftCut(sift, source.cutter, before, copy, (records) =>
      options.onProgress(records, source.bytesRead()),
    );
    return { rows, contentHash: source.contentHash() };
  } finally {
    await source.cutter.close();
  }
}

export function csvSql(description: CsvDescription, target: CopyTarget): string {
  const { sqlName, layout, forceNull, where } = target;
  return csvCopySql(sqlName, layout.copyColumns, description, forceNull, where);
}

/** All records of the cutter, of which `before` precede the first; returns how many there are. */
export async function siftCut(
  sift: Sift,
  cutter: RecordCutter,
  before: number,
  copy: CopyNumbered,
  onBatch: (records: number) => void,
): Promise<number> {
  let records = 0;
  for (;;) {
    const batch = await cutter.next(sift.batchMax);
    if (batch === null) return records;
    const first = before + batch.first;
    records += batch.ends.length;
    if (batch.problem === null) {
      await siftBatch(sift, csvBatch(batch, first, copy));
    } else {
      const { ordinal } = sift.file;
      const reason = `The record cannot be loaded: ${batch.problem}.`;
      await reject(sift, { file: ordinal, record: first, column: null, sqlState: null, reason });
    }
    onBatch(records);
  }
}

export type CopyNumbered = (bytes: Buffer, first: number, count: number) => Promise<number>;

/** Records that are refused take numbers, too, so the numbering is set right behind each gap. */
export function numberedCopy(
  { connection }: Sift,
  { sqlName, ordinal }: Pick<CopyTarget, 'sqlName' | 'ordinal'>,
  sql: string,
): CopyNumbered {
  let next = -1;
  return async (bytes, first, count) => {
    if (ordinal && next !== first) await setFirstRow(connection, sqlName, first);
    next = -1;
    const copied = await connection.copyIn(sql, [bytes]);
    next = first + count;
    return copied;
  };
}

function csvBatch({ bytes, ends }: CutBatch, first: number, copy: CopyNumbered): SiftedBatch {
  const startOf = (index: number): number =>
    index === 0 ? 0 : present(ends[index - 1], 'the end of a record');
  return {
    first,
    count: ends.length,
    copy: (from, to) => copy(bytes.subarray(startOf(from), startOf(to)), first + from, to - from),
    indexOf: (error, from, to) => {
      const context = copyContextOf(error);
      if (context === null) return null;
      const lineOf = countCopyLines();
      for (let index = from; index < to; index++) {
        const record = bytes.subarray(startOf(index), startOf(index + 1));
        const end = bodyEnd(record);
        if (lineOf(record.subarray(0, end), lineEndKind(record)) >= context.record) return index;
      }
      return null;
    },
  };
}

const LF = Buffer.from('\n');
const CR = Buffer.from('\r');

function bodyEnd(record: Buffer): number {
  const end = record.length - 1;
  return record[end] === 10 && record[end - 1] === 13 ? end - 1 : end;
}

/** Lines within quotes are told apart by LF only where LF alone ends the records. */
function lineEndKind(record: Buffer): Buffer {
  return record.at(-1) === 10 && record.at(-2) !== 13 ? LF : CR;
}
