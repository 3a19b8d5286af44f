import { conflictEdges } from '../conflict/conflict-graph.ts';
import type { LoadRequest, Settings } from '../job/schema.ts';
import { copiesWhole, layoutKey } from '../target/staging-layout.ts';
import type { Coupling } from '../target/table.ts';
import { workersFor } from './concurrency.ts';
import { estimateCosts } from './cost.ts';
import { findCouplings, notHashable } from './couplings.ts';
import { describeFiles } from './describe-files.ts';
import { fingerprintOf } from './fingerprint.ts';
import { groupUnits } from './group-units.ts';
import { mapFiles } from './map-files.ts';
import { bringSameColumns } from './obstacles.ts';
import type { PlanContext } from './plan-context.ts';
import { planFiles } from './plan-files.ts';
import type { FilePlan, LoadPlan } from './plan-types.ts';
import { findLoaded } from './skip-loaded.ts';
import { chooseStrategy, strategyCosts } from './strategy.ts';
import { findTarget, type CreatedTable, type Target } from './target-table.ts';

/** Plans one load. `created`: the tables that earlier loads of the plan create. */
export async function planLoad(
  request: LoadRequest,
  settings: Settings,
  created: ReadonlyMap<string, CreatedTable>,
  context: PlanContext,
): Promise<LoadPlan> {
  const described = await describeFiles(request, context);
  const target = await findTarget(request, described, created, context);
  const { key, planned } = target;
  const fingerprint = fingerprintOf(request, key, settings);
  const skipping = await findLoaded(
    described.map(({ file }) => file),
    target.existing,
    { fingerprint, keyed: key.length > 0 },
    context,
  );
  const mapped = await mapFiles(described, target, request, ({ file }) =>
    skipping.loaded.has(file.path),
  );
  const sampled = await planFiles(
    { described, targets: mapped.targets, loaded: skipping.loaded },
    target,
    settings,
    context,
  );
  const workers = workersFor(settings, context);
  const decided = decide(request, settings, target, sampled, workers.count, context);
  return {
    table: planned,
    key,
    onConflict: request.onConflict,
    versionColumn: target.versionColumn,
    fingerprint,
    ...decided,
    files: sampled.files,
    overlap: sampled.overlap,
    notices: [
      ...target.notices,
      ...defaultsNotice(target, sampled.files),
      ...skipping.notices,
      ...mapped.notices,
      ...sampled.notices,
      ...workers.notices,
      ...shortcutNotices(decided),
    ],
  };
}

/** What the run will leave out because of what the sample says, and what if the sample errs. */
function shortcutNotices({ fillBeforeKey, dropSuperseded }: Decided): string[] {
  return [
    ...(fillBeforeKey
      ? [
          'The new table is filled before it gets its key; if a key comes twice after all, it is ' +
            'loaded through staging.',
        ]
      : []),
    ...(dropSuperseded
      ? [
          'CSV rows that another row supersedes are not sent to the server, so their values are not ' +
            'checked (checkSuperseded sends them).',
        ]
      : []),
  ];
}

type Decided = Pick<
  LoadPlan,
  | 'units'
  | 'dropSuperseded'
  | 'fillBeforeKey'
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

/** Rows from which on a new table is filled before it gets its key. */
const FILL_BEFORE_KEY_ROWS_MIN = 10_000;

/** From what is known to units, conflicts and the strategy. */
function decide(
  request: LoadRequest,
  settings: Settings,
  target: Target,
  { files, overlap, multiplicityInside }: Awaited<ReturnType<typeof planFiles>>,
  workers: number,
  { cores }: PlanContext,
): Decided {
  const { columns, sqlName, estimatedRows, empty } = target.planned;
  const units = groupUnits(files, workers, (file) => layoutKey(columns, file));
  const unitFiles = units.map((unit) => unit.files);
  const fileRows = files.map((file) => file.estimatedRows);
  const conflicts = conflictEdges(overlap.pairs, { unitFiles, fileRows }, 0);
  const couplings = couplingsOf(target, files);
  const keyed = target.key.length > 0;
  const concurrency = Math.max(1, Math.min(workers, units.length));
  const dropsSuperseded =
    request.onConflict !== 'newest' &&
    !settings.checkSuperseded &&
    overlap.multiplicity >= MULTIPLICITY_MIN;
  const costs = estimateCosts({
    files,
    units,
    conflicts,
    multiplicity: overlap.multiplicity,
    multiplicityInside,
    concurrency,
    cores,
    targetRows: estimatedRows,
    targetEmpty: empty,
    dropsSuperseded,
    deterministic: settings.deterministic && keyed,
  });
  const facts = {
    requested: request.strategy,
    onConflict: request.onConflict,
    deterministic: settings.deterministic,
    couplings,
    sameColumns: bringSameColumns(files.filter((file) => file.skip === null)),
    units,
    conflicts,
    overlap,
    table: sqlName,
  };
  const estimates = strategyCosts(facts, costs);
  const choice = chooseStrategy(facts, estimates);
  const dropSuperseded = choice.strategy === 'partitioned' && dropsSuperseded;
  const loaded = files.filter((file) => file.skip === null);
  const fillBeforeKey =
    target.planned.create !== null &&
    keyed &&
    choice.strategy === 'full-parallel' &&
    overlap.sampled &&
    overlap.multiplicity === 1 &&
    loaded.reduce((sum, file) => sum + file.estimatedRows, 0) >= FILL_BEFORE_KEY_ROWS_MIN &&
    loaded.every((file) => copiesWhole(columns, file));
  return {
    ...choice,
    dropSuperseded,
    fillBeforeKey,
    units,
    conflicts,
    couplings,
    costs: estimates,
    concurrency,
  };
}

function couplingsOf(
  { existing, planned, key }: Target,
  files: readonly FilePlan[],
): readonly Coupling[] {
  if (existing === null) return notHashable(planned.columns, key);
  return findCouplings(existing, key, brought(files));
}

/** Columns of the table that the files to be loaded bring. */
function brought(files: readonly FilePlan[]): Set<string> {
  const loaded = files.filter((file) => file.skip === null);
  return new Set(loaded.flatMap((file) => file.targets.filter((name) => name !== null)));
}

/** Numbers from a sequence go to rows in the order in which these happen to be written. */
function defaultsNotice({ existing }: Target, files: readonly FilePlan[]): string[] {
  const here = brought(files);
  const filled = (existing?.columns ?? [])
    .filter((column) => column.hasDefault && !here.has(column.name))
    .map((column) => column.name);
  if (filled.length === 0 || here.size === 0) return [];
  return [
    `No file brings ${filled.join(', ')}: new rows take the default. Which row gets which number of a sequence depends on the order of writing, and is not promised.`,
  ];
}
