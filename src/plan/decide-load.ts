import { conflictEdges } from '../conflict/conflict-graph.ts';
import type { LoadRequest, Settings, Strategy } from '../job/schema.ts';
import type { Coupling } from '../target/table.ts';
import { needsAllRows } from './column-policies.ts';
import { estimateCosts, type Costs } from './cost.ts';
import { COSTS } from './cost-figures.ts';
import { couplingsOf, mayRefer } from './couplings.ts';
import { cutUnits, workersOf, type UnitCuts } from './cut-units.ts';
import { allDirect, type DirectFiles } from './direct-units.ts';
import { looksUp } from './lookup-columns.ts';
import { bringSameColumns } from './obstacles.ts';
import type { PlanContext } from './plan-context.ts';
import type { PlannedFiles } from './plan-files.ts';
import type { FilePlan, LoadPlan, UnchangedPlan, UnitPlan } from './plan-types.ts';
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
  readonly several: SeveralTables | null;
  /** What files of one table must agree on to be staged together, where that is more than its columns. */
  readonly layoutKey: ((file: FilePlan) => string) | null;
}

export interface FilesToDecide extends PlannedFiles {
  readonly direct: DirectFiles | null;
  /** How they are compared with the table first; null: they are not. */
  readonly unchanged: UnchangedPlan | null;
}

/** From what is known to units, conflicts and the strategy. */
export function decideLoad(
  request: LoadRequest,
  settings: Settings,
  target: Target,
  planned: FilesToDecide,
  { workers, several, layoutKey }: Places,
  { cores, partBytesMin }: Pick<PlanContext, 'cores' | 'partBytesMin'>,
): Decided {
  const { files, overlap, multiplicityInside, direct, unchanged } = planned;
  const keyed = several?.keyed ?? target.key.length > 0;
  const severalTables = several !== null;
  const couplings = [...couplingsOf(target, files), ...(several?.couplings ?? [])];
  const cuts = cutUnits(target, planned, direct, settings, {
    ...{ workers, partBytesMin, keyed, severalTables },
    refers: settings.deterministic && mayRefer(couplings),
    layoutKey: several?.layoutKey ?? layoutKey,
  });
  const { whole, parts, split, directShares, fills } = cuts;
  const unitFiles = whole.map((unit) => unit.files);
  const fileRows = files.map((file) => file.estimatedRows);
  const conflicts = conflictEdges(overlap.pairs, { unitFiles, fileRows }, 0);
  const dropsSuperseded = canDropSuperseded(request, settings, target, planned);
  const costsOf = (units: readonly UnitPlan[]): Costs =>
    estimateCosts({
      ...{ files, units, conflicts, multiplicityInside, cores },
      ...{ dropsSuperseded, fills, unchanged, scattered: planned.scattered },
      multiplicity: overlap.multiplicity,
      concurrency: workersOf(units, workers),
      targetRows: target.planned.estimatedRows,
      targetEmpty: target.planned.empty,
      newKeys: allDirect(whole),
      deterministic: settings.deterministic && keyed,
      lookups: request.lookups.length,
    });
  const facts = {
    requested: request.strategy,
    // An order matters where any of the tables has a key.
    onConflict: several?.keyed === true ? ('update' as const) : request.onConflict,
    deterministic: settings.deterministic,
    ...{ couplings, severalTables, conflicts, overlap, split, units: whole },
    comparesFirst: unchanged !== null,
    judgesAllRows: needsAllRows(request) && settings.onError === 'quarantine',
    sameColumns: bringSameColumns(files.filter((file) => file.skip === null)),
    directShares: directShares?.shares.length ?? null,
    table: target.planned.sqlName,
  };
  const costs = strategyCosts(facts, costsOfCuts(cuts, costsOf));
  const choice = chooseStrategy(facts, costs);
  const isPartitioned = choice.strategy === 'partitioned';
  const units = isPartitioned ? parts : whole;
  return {
    ...choice,
    dropSuperseded: isPartitioned && dropsSuperseded,
    fillBeforeKey: fills && FILLED_BEFORE_KEY.has(choice.strategy),
    ...(isPartitioned && directShares !== null ? { directShares } : {}),
    units,
    conflicts: isPartitioned && split !== null ? [] : conflicts,
    couplings,
    costs,
    concurrency: workersOf(units, workers),
  };
}

/** Whether rows that another row supersedes can be found before they are sent, and it pays. */
function canDropSuperseded(
  request: LoadRequest,
  settings: Settings,
  { planned }: Target,
  { files, overlap }: Pick<PlannedFiles, 'files' | 'overlap'>,
): boolean {
  return (
    request.onConflict !== 'newest' &&
    // The first row of a key, or each that differs from the one before, is part of the result.
    !needsAllRows(request) &&
    !settings.checkSuperseded &&
    !looksUp(planned.columns) &&
    // A bad row must not keep a good one from being sent.
    settings.onError === 'stop' &&
    // They are staged once more to be kept, and then their values must be good.
    settings.keepSuperseded === null &&
    // The keys are made by the transform, or are in no file.
    !files.some(({ description }) => READ_LATE.has(description.kind)) &&
    overlap.multiplicity >= MULTIPLICITY_MIN
  );
}

/** What each strategy costs with the units that it takes. */
function costsOfCuts(
  { whole, parts, directShares }: UnitCuts,
  costsOf: (units: readonly UnitPlan[]) => Costs,
): Costs {
  const ofWhole = costsOf(whole);
  const partitioned =
    directShares === null
      ? (parts === whole ? ofWhole : costsOf(parts)).partitioned
      : costsOf(directShares.shares.flat())['full-parallel'] + COSTS.partitionedSetUp;
  return { ...ofWhole, partitioned };
}
