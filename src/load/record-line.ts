import type { FilePlan } from '../plan/plan-types.ts';
import { locateRecord } from '../source/csv/locate-record.ts';
import { lineOfRecord } from '../source/json/line-of-record.ts';
import { rowsBefore } from '../source/parquet/read-parquet.ts';
import type { TransformedDescription } from '../source/source-file.ts';
import { inputOf } from '../source/transform/input-of.ts';
import type { UnitPart } from './unit-task.ts';

/** 1-based line of the file in which a record begins; of Parquet, its row. Reads the file again. */
export async function recordLine(file: FilePlan, record: number): Promise<number> {
  const description = inputOf(file.description);
  if (description.kind === 'json') return lineOfRecord(file, description, record);
  if (description.kind !== 'csv') return record;
  try {
    return (await locateRecord(file, description, record))?.line ?? record;
  } catch {
    // The file may be broken beyond that place; the record's number is still true.
    return record;
  }
}

/** Records of the file in front of a part. */
export function recordsBefore({ input }: TransformedDescription, part: UnitPart): number {
  if (part.kind === 'bytes') return part.firstRecord - 1;
  return input.kind === 'parquet' ? rowsBefore(input, part.from) : 0;
}
