import { canBeSplit } from '../source/csv/find-parts.ts';
import { allDirect, type DirectFiles } from './direct-units.ts';
import type { DirectShares, FilePlan, UnitPlan } from './plan-types.ts';

/** A file is not cut where a part would be less than this of a worker's share. */
const PART_SHARE_MIN = 1 / 8;

/**
 * Where a large file would keep one worker busy and its rows seem to be new, sorted, and above all keys
 * of the table: the bytes of all files, cut into as many stretches as there are workers. Null where the
 * load is none of these. What it costs and saves is told where it is run (run/direct-shares.ts).
 */
export function shareOut(
  units: readonly UnitPlan[],
  files: readonly FilePlan[],
  direct: DirectFiles | null,
  workers: number,
): DirectShares | null {
  const single = units.every((unit) => unit.files.length === 1);
  const bytes = units.reduce((sum, unit) => sum + unit.bytes, 0);
  if (direct === null || workers < 2 || bytes === 0 || !single || !allDirect(units)) return null;
  const shareBytes = bytes / workers;
  const shares = Array.from({ length: workers }, (): UnitPlan[] => []);
  let start = 0;
  let ordinal = 0;
  for (const unit of units) {
    const [place = -1] = unit.files;
    const file = files[place];
    const rises = file !== undefined && direct.rising.has(place);
    const cuts = rises && isCuttable(file) ? cutsOf(unit.bytes, start, shareBytes) : [];
    for (const part of partsOf(unit, cuts)) {
      const middle = start + part.bytes / 2;
      const own = shares[Math.min(workers - 1, Math.floor(middle / shareBytes))];
      own?.push({ ...part, ordinal: ordinal++ });
      start += part.bytes;
    }
  }
  const taken = shares.filter((share) => share.length > 0);
  return taken.length < 2 ? null : { column: direct.column, shares: taken };
}

function isCuttable(file: FilePlan): boolean {
  return file.description.kind === 'csv' && canBeSplit(file, file.description);
}

/** Offsets in a file that begins at `start` of all, where one share ends and the next begins. */
function cutsOf(bytes: number, start: number, shareBytes: number): number[] {
  const least = shareBytes * PART_SHARE_MIN;
  const cuts: number[] = [];
  for (let share = Math.ceil(start / shareBytes); share * shareBytes < start + bytes; share++) {
    const cut = Math.round(share * shareBytes - start);
    if (cut >= least && bytes - cut >= least) cuts.push(cut);
  }
  return cuts;
}

function partsOf(unit: UnitPlan, cuts: readonly number[]): UnitPlan[] {
  if (cuts.length === 0) return [unit];
  const ends = [0, ...cuts, unit.bytes];
  const of = cuts.length + 1;
  const rowsBefore = (cut: number): number => Math.round((unit.estimatedRows * cut) / unit.bytes);
  return Array.from({ length: of }, (_, index) => {
    const [from = 0, to = 0] = ends.slice(index, index + 2);
    return {
      ...unit,
      part: { index, of, from, to },
      estimatedRows: rowsBefore(to) - rowsBefore(from),
      bytes: to - from,
    };
  });
}
