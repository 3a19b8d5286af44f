import type { Settings } from '../job/schema.ts';
import { copiesWhole, layoutKey } from '../target/staging-layout.ts';
import { withWindows, type DirectFiles } from './direct-units.ts';
import { shareOut } from './direct-shares.ts';
import { groupUnits } from './group-units.ts';
import { oncePerLayout } from './per-layout.ts';
import type { PlannedFiles } from './plan-files.ts';
import type { DirectShares, FilePlan, UnitPlan } from './plan-types.ts';
import { splitFiles } from './split-files.ts';
import type { Target } from './target-table.ts';

/** The units of work that the files of a load may be cut into; the strategy says which are taken. */
export interface UnitCuts {
  /** Whole files, small ones in groups. */
  readonly whole: readonly UnitPlan[];
  /** The same with large files in parts, for `partitioned`; `whole` or the like where none is. */
  readonly parts: readonly UnitPlan[];
  /** Files that are in parts, and how many these are; null: none. */
  readonly split: { readonly files: number; readonly parts: number } | null;
  /** How all workers can copy into the table itself at once; null: they cannot. */
  readonly directShares: DirectShares | null;
  /** Whether the table, which is made for the load, can be filled before it gets its key. */
  readonly fills: boolean;
}

export interface CutOptions {
  readonly workers: number;
  readonly partBytesMin: number;
  /** Whether any table of the load has a key. */
  readonly keyed: boolean;
  readonly severalTables: boolean;
  /** Whether rows refer to rows that other files may bring: then each file is a unit. */
  readonly refers: boolean;
  /** What files must agree on to be staged together; null: the columns of the only table. */
  readonly layoutKey: ((file: FilePlan) => string) | null;
}

/** Rows from which on a new table is filled before it gets its key. */
const FILL_BEFORE_KEY_ROWS_MIN = 10_000;

export function cutUnits(
  target: Target,
  planned: Pick<PlannedFiles, 'files' | 'overlap'>,
  direct: DirectFiles | null,
  { onError, chunkSize }: Pick<Settings, 'onError' | 'chunkSize'>,
  options: CutOptions,
): UnitCuts {
  const { files } = planned;
  const { workers, partBytesMin, keyed, severalTables } = options;
  const ofOne = (file: FilePlan): string => layoutKey(target.planned.columns, file);
  // A statement looks for what its rows refer to when it ends, so of the files that it merges each may bring
  // what another one lacks. How many files share one depends on the workers, so here none do.
  const layoutOf = options.refers
    ? ({ path }: FilePlan): string => path
    : oncePerLayout(options.layoutKey ?? ofOne);
  const grouped = groupUnits(files, workers, layoutOf);
  // What is copied into the table itself begins again after a bad row, and the transform with it.
  const sifted =
    onError === 'quarantine' && files.some(({ description }) => description.kind === 'transformed');
  const fills = !severalTables && !sifted && canFillBeforeKey(target, planned);
  const whole = fills ? grouped : withWindows(grouped, files, sifted ? null : direct);
  const splitting = { workers, chunkRows: chunkSize, partBytesMin };
  const parts = keyed && !severalTables ? splitFiles(grouped, files, splitting) : grouped;
  const split = parts === grouped ? null : splitOf(parts);
  // A bad row would be copied to no purpose with all others, and rows of an unsplit load keep one busy.
  const directShares =
    onError === 'quarantine' || split === null
      ? null
      : shareOut(whole, files, direct, workersOf(parts, workers));
  return { whole, parts, split, directShares, fills };
}

/** No more workers than there is work for. */
export function workersOf(units: readonly UnitPlan[], workers: number): number {
  return Math.max(1, Math.min(workers, units.length));
}

function splitOf(units: readonly UnitPlan[]): UnitCuts['split'] {
  const parts = units.filter(({ part }) => part !== null);
  return { files: parts.filter(({ part }) => part?.index === 0).length, parts: parts.length };
}

/** Whether a table is made for the load, and the sample saw no key twice. */
function canFillBeforeKey(
  { planned, key }: Target,
  { files, overlap }: Pick<PlannedFiles, 'files' | 'overlap'>,
): boolean {
  const loaded = files.filter((file) => file.skip === null);
  const rows = loaded.reduce((sum, file) => sum + file.estimatedRows, 0);
  return (
    planned.create !== null &&
    key.length > 0 &&
    overlap.sampled &&
    overlap.multiplicity === 1 &&
    rows >= FILL_BEFORE_KEY_ROWS_MIN &&
    loaded.every(oncePerLayout((file) => copiesWhole(planned.columns, file)))
  );
}
