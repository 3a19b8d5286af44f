import { conflictEdges } from '../conflict/conflict-graph.ts';
import type { LoadRequest, Settings, Strategy } from '../job/schema.ts';
import type { Coupling } from '../target/table.ts';
import { copiesWhole, layoutKey } from '../target/staging-layout.ts';
import { needsAllRows } from './column-policies.ts';
import { estimateCosts, type Costs } from './cost.ts';
import { COSTS } from './cost-figures.ts';
import { couplingsOf } from './couplings.ts';
import { allDirect, withWindows, type DirectFiles } from './direct-units.ts';
import { shareOut } from './direct-shares.ts';
import { groupUnits } from './group-units.ts';
import { looksUp } from './lookup-columns.ts';
import { bringSameColumns } from './obstacles.ts';
import type { PlanContext } from './plan-context.ts';
import type { PlannedFiles } from './plan-files.ts';
import type { FilePlan, LoadPlan, UnchangedPlan, UnitPlan } from './plan-types.ts';
import { oncePerLayout } from './per-layout.ts';
import { splitFiles } from './split-files.ts';
import { chooseStrategy, strategyCosts } from './strategy.ts';
import type { Target } from './target-table.ts';

/** What is decided of a load once its files are sampled. */
export type Decided = Pick<
  LoadPlan,
  | 'units'
  | 'dropSuperseded'
  | 'fillBeforeKey'
  | 'directShares'
  | 'conflicts'
  | 'couplings'
  | 'costs'
  | 'strategy'
  | 'reason'
  | 'concurrency'
>;

/**
 * Rows per key from which on it pays to read the keys before sending rows: a file of 500,000 rows
 * costs 0.3 s of the client for that, and each of its rows that is not sent saves the server 2.4 µs.
 */
const MULTIPLICITY_MIN = 1.2;

/** Files whose keys cannot be read before their rows are sent. */
const READ_LATE: ReadonlySet<string> = new Set(['transformed', 'document']);

/** Strategies for loads in which nothing waits; where the filling fails, they do the load. */
const FILLED_BEFORE_KEY: ReadonlySet<Strategy> = new Set(['full-parallel', 'partitioned']);

/** Rows from which on a new table is filled before it gets its key. */
const FILL_BEFORE_KEY_ROWS_MIN = 10_000;

/** What there is to know of a load whose rows go to several tables. */
export interface SeveralTables {
  /** Whether any of them has a key. */
  readonly keyed: boolean;
  readonly layoutKey: (file: FilePlan) => string;
  /** Those of the further tables, and between tables. */
  readonly couplings: readonly Coupling[];
}

/** Where the rows are loaded, and by how many. */
export interface Places {
  readonly workers: number;
  /** Null: into one table. */
  readonly several?: SeveralTables | null;
  /** What files of one table must agree on to be staged together, where that is more than its columns. */
  readonly layoutKey?: ((file: FilePlan) => string) | null;
}

export interface FilesToDecide extends PlannedFiles {
  readonly direct: DirectFiles | null;
  /** How they are compared with the table first; null, or absent: they are not. */
  readonly unchanged?: UnchangedPlan | null;
}

/** From what is known to units, conflicts and the strategy. */
export function decideLoad(
  request: LoadRequest,
  settings: Settings,
  target: Target,
  { files, overlap, multiplicityInside, direct, unchanged = null }: FilesToDecide,
  { workers, several = null, layoutKey: ofSets = null }: Places,
  { cores, partBytesMin }: PlanContext,
): Decided {
  const { columns, sqlName, estimatedRows, empty } = target.planned;
  const keyed = several?.keyed ?? target.key.length > 0;
  const ofOne = (file: FilePlan): string => layoutKey(columns, file);
  const layoutOf = oncePerLayout(several?.layoutKey ?? ofSets ?? ofOne);
  const grouped = groupUnits(files, workers, layoutOf);
  // What is copied into the table itself begins anew after a bad row, and the transform with it.
  const sifted =
    settings.onError === 'quarantine' &&
    files.some(({ description }) => description.kind === 'transformed');
  const fills = several === null && !sifted && canFillBeforeKey(target, files, overlap);
  const whole = fills ? grouped : withWindows(grouped, files, sifted ? null : direct);
  const splitting = { workers, chunkRows: settings.chunkSize, partBytesMin };
  const split = keyed && several === null ? splitFiles(grouped, files, splitting) : grouped;
  // A bad row would be copied to no purpose with all others, and rows of an unsplit load keep one busy.
  const directShares =
    settings.onError === 'quarantine' || split === grouped
      ? null
      : shareOut(whole, files, direct, workersOf(split, workers));
  const unitFiles = whole.map((unit) => unit.files);
  const fileRows = files.map((file) => file.estimatedRows);
  const conflicts = conflictEdges(overlap.pairs, { unitFiles, fileRows }, 0);
  const couplings = [...couplingsOf(target, files), ...(several?.couplings ?? [])];
  const dropsSuperseded =
    request.onConflict !== 'newest' &&
    // The first row of a key, or each that differs from the one before, is part of the result.
    !needsAllRows(request) &&
    !settings.checkSuperseded &&
    !looksUp(columns) &&
    // A bad row must not keep a good one from being sent.
    settings.onError === 'stop' &&
    // They are staged once more to be kept, and then their values must be good.
    settings.keepSuperseded === null &&
    // The keys are made by the transform, or are in no file.
    !files.some(({ description }) => READ_LATE.has(description.kind)) &&
    overlap.multiplicity >= MULTIPLICITY_MIN;
  const costsOf = (units: readonly UnitPlan[]): Costs =>
    estimateCosts({
      files,
      units,
      conflicts,
      multiplicity: overlap.multiplicity,
      multiplicityInside,
      concurrency: workersOf(units, workers),
      cores,
      targetRows: estimatedRows,
      targetEmpty: empty,
      newKeys: allDirect(whole),
      dropsSuperseded,
      deterministic: settings.deterministic && keyed,
      fills,
      lookups: request.lookups.length,
      unchanged,
    });
  const facts = {
    requested: request.strategy,
    // An order matters where any of the tables has a key.
    onConflict: several?.keyed === true ? ('update' as const) : request.onConflict,
    deterministic: settings.deterministic,
    couplings,
    severalTables: several !== null,
    comparesFirst: unchanged !== null,
    judgesAllRows: needsAllRows(request) && settings.onError === 'quarantine',
    sameColumns: bringSameColumns(files.filter((file) => file.skip === null)),
    units: whole,
    split: splitOf(grouped, split),
    directShares: directShares?.shares.length ?? null,
    conflicts,
    overlap,
    table: sqlName,
  };
  const costsOfWhole = costsOf(whole);
  const partitioned =
    directShares === null
      ? (split === whole ? costsOfWhole : costsOf(split)).partitioned
      : costsOf(directShares.shares.flat())['full-parallel'] + COSTS.partitionedSetUp;
  const costs = strategyCosts(facts, { ...costsOfWhole, partitioned });
  const choice = chooseStrategy(facts, costs);
  const units = choice.strategy === 'partitioned' ? split : whole;
  return {
    ...choice,
    dropSuperseded: choice.strategy === 'partitioned' && dropsSuperseded,
    fillBeforeKey: fills && FILLED_BEFORE_KEY.has(choice.strategy),
    ...(choice.strategy === 'partitioned' && directShares !== null ? { directShares } : {}),
    units,
    conflicts: units === split && split !== grouped ? [] : conflicts,
    couplings,
    costs,
    concurrency: workersOf(units, workers),
  };
}

/** No more workers than there is work for. */
function workersOf(units: readonly UnitPlan[], workers: number): number {
  return Math.max(1, Math.min(workers, units.length));
}

function splitOf(
  whole: readonly UnitPlan[],
  split: readonly UnitPlan[],
): { readonly files: number; readonly parts: number } | null {
  if (split === whole) return null;
  const parts = split.filter(({ part }) => part !== null);
  return { files: parts.filter(({ part }) => part?.index === 0).length, parts: parts.length };
}

/** Whether a table is made for the load, and the sample saw no key twice. */
function canFillBeforeKey(
  { planned, key }: Target,
  files: readonly FilePlan[],
  overlap: LoadPlan['overlap'],
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
