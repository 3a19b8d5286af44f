import { LIMITS } from '../limits.ts';
import { canBeSplit } from '../source/csv/find-parts.ts';
import type { ParquetDescription } from '../source/source-file.ts';
import { inputOf } from '../source/transform/input-of.ts';
import type { FilePlan, UnitPlan } from './plan-types.ts';

export interface SplitOptions {
  readonly workers: number;
  /** `chunkSize`: about so many rows make a part. */
  readonly chunkRows: number;
  /** Less than this is not worth a staging table of its own: bytes of CSV, or of Parquet unpacked. */
  readonly partBytesMin: number;
}

/**
 * The units as `partitioned` takes them: a file that is more than half of what a worker has to do
 * is split into parts of about `chunkRows` rows, since otherwise the other workers wait for it in
 * the end. The same array where nothing is split.
 */
export function splitFiles(
  units: readonly UnitPlan[],
  files: readonly FilePlan[],
  options: SplitOptions,
): readonly UnitPlan[] {
  if (options.workers < 2) return units;
  const bytes = units.reduce((sum, unit) => sum + unit.bytes, 0);
  const large = new Set(
    units.filter((unit) => unit.files.length === 1 && unit.bytes > bytes / (2 * options.workers)),
  );
  const largeBytes = [...large].reduce((sum, unit) => sum + unit.bytes, 0);
  const split = units.flatMap((unit) => {
    const file = files[unit.files[0] ?? -1];
    if (file === undefined || !large.has(unit)) return [unit];
    const partsMax = Math.floor((LIMITS.splitPartsMax * unit.bytes) / largeBytes);
    const cuts = cutsOf(file, partsMax, options);
    return cuts.length < 3 ? [unit] : partsOf(unit, file, cuts);
  });
  if (split.length === units.length) return units;
  return split.map((unit, ordinal) => ({ ...unit, ordinal }));
}

/**
 * Where the parts begin and end: both ends and what lies between. JSON has none: where a record begins
 * is known only behind the one before it.
 */
function cutsOf(file: FilePlan, partsMax: number, options: SplitOptions): readonly number[] {
  const { bytes, estimatedRows } = file;
  const description = inputOf(file.description);
  if (description.kind === 'parquet') return rowGroupCuts(description, partsMax, options);
  if (description.kind === 'json' || description.kind === 'document') return [];
  if (!canBeSplit(file, description) || estimatedRows === 0) return [];
  const partBytes = Math.max(options.partBytesMin, (bytes / estimatedRows) * options.chunkRows);
  const parts = Math.min(partsMax, Math.floor(bytes / partBytes));
  return Array.from({ length: parts + 1 }, (_, cut) => Math.round((bytes * cut) / parts));
}

function rowGroupCuts(
  { rows, rowGroups }: ParquetDescription,
  partsMax: number,
  { chunkRows, partBytesMin }: SplitOptions,
): readonly number[] {
  const partRows = Math.max(chunkRows, rows / Math.max(1, partsMax));
  const cuts = [0];
  let partOf = { rows: 0, bytes: 0 };
  for (const [index, group] of rowGroups.entries()) {
    partOf = { rows: partOf.rows + group.rows, bytes: partOf.bytes + group.uncompressedBytes };
    const full = partOf.rows >= partRows && partOf.bytes >= partBytesMin;
    if (!full && index < rowGroups.length - 1) continue;
    cuts.push(index + 1);
    partOf = { rows: 0, bytes: 0 };
  }
  return cuts;
}

function partsOf(unit: UnitPlan, file: FilePlan, cuts: readonly number[]): UnitPlan[] {
  const of = cuts.length - 1;
  return cuts.slice(0, -1).map((from, index) => {
    const to = cuts[index + 1] ?? from;
    const share = (total: number): number =>
      Math.round(total * shareBefore(file, to)) - Math.round(total * shareBefore(file, from));
    return {
      ...unit,
      part: { index, of, from, to },
      estimatedRows: share(unit.estimatedRows),
      bytes: share(unit.bytes),
    };
  });
}

/** Which share of the file (0 to 1) lies before a cut. */
function shareBefore({ description, bytes }: FilePlan, cut: number): number {
  const input = inputOf(description);
  if (input.kind !== 'parquet') return cut / bytes;
  const before = input.rowGroups.slice(0, cut);
  return before.reduce((sum, group) => sum + group.rows, 0) / Math.max(1, input.rows);
}
