import { LIMITS } from '../limits.ts';
import { documentIn } from '../source/transform/input-of.ts';
import { unionRange } from './key-span.ts';
import type { FilePlan, UnitPlan } from './plan-types.ts';

/**
 * Units of work: whole files, contiguous in precedence, in order. Small files of one layout (they
 * can share a staging table, and be merged by one statement) share a unit, so that thousands of them
 * do not pay for thousands of commits; but where there are files enough, at least two units per
 * worker remain, so that none is idle at the end. Files that are skipped are in none.
 */
export function groupUnits(
  files: readonly FilePlan[],
  concurrency: number,
  layoutOf: (file: FilePlan) => string,
): UnitPlan[] {
  const loaded = files.filter((file) => file.skip === null);
  const groups = collect(loaded, layoutOf);
  spread(groups, Math.min(2 * concurrency, loaded.length));
  return groups.map(unitOf);
}

const OF_FILES = { files: LIMITS.unitGroupFilesMax, bytes: LIMITS.unitGroupBytesMax };
const OF_DOCUMENTS = { files: LIMITS.unitDocumentsMax, bytes: LIMITS.unitDocumentsBytesMax };

function collect(files: readonly FilePlan[], layoutOf: (file: FilePlan) => string): FilePlan[][] {
  const groups: FilePlan[][] = [];
  let layout: string | null = null;
  let bytes = 0;
  for (const file of files) {
    const group = groups.at(-1);
    const own = layoutOf(file);
    const max = documentIn(file.description) === null ? OF_FILES : OF_DOCUMENTS;
    const joins =
      group !== undefined &&
      own === layout &&
      group.length < max.files &&
      bytes + file.bytes <= max.bytes;
    if (joins) group.push(file);
    else groups.push([file]);
    bytes = joins ? bytes + file.bytes : file.bytes;
    layout = own;
  }
  return groups;
}

/** Splits the largest groups until there are so many. */
function spread(groups: FilePlan[][], wanted: number): void {
  while (groups.length < wanted) {
    let largest = -1;
    let most = -1;
    groups.forEach((group, index) => {
      const bytes = bytesOf(group);
      if (group.length < 2 || bytes <= most) return;
      largest = index;
      most = bytes;
    });
    const group = groups[largest];
    if (group === undefined) return;
    groups.splice(largest, 1, ...halves(group));
  }
}

/** Two parts of about the same bytes, neither of them empty. */
function halves(group: readonly FilePlan[]): [FilePlan[], FilePlan[]] {
  const half = bytesOf(group) / 2;
  let bytes = 0;
  let cut = 0;
  while (cut < group.length - 1 && bytes < half) {
    bytes += group[cut]?.bytes ?? 0;
    cut++;
  }
  cut = Math.max(1, cut);
  return [group.slice(0, cut), group.slice(cut)];
}

function unitOf(group: readonly FilePlan[], ordinal: number): UnitPlan {
  return {
    ordinal,
    files: group.map((file) => file.ordinal),
    part: null,
    estimatedRows: group.reduce((sum, file) => sum + file.estimatedRows, 0),
    bytes: bytesOf(group),
    range: group.map((file) => file.range).reduce(unionRange),
  };
}

function bytesOf(group: readonly FilePlan[]): number {
  return group.reduce((sum, file) => sum + file.bytes, 0);
}
