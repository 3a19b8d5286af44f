import type { LoadPlan } from '../plan/plan-types.ts';
import type { Counts, FileReport, Foreseen, LoadPrediction, LoadReport } from './report-types.ts';

/** What came of a load. `seconds` is null where nothing was begun. */
export interface LoadOutcome {
  readonly files: readonly FileReport[];
  /** Those of a load whose units did not wait for each other. */
  readonly unlisted?: LoadReport['unlisted'];
  readonly totals: Counts;
  readonly seconds: number | null;
}

/**
 * What the plan foresaw, beside what came, so that anyone sees when it errs. A load that ended early
 * shows nothing: its seconds and rows are those of a part.
 *
 * The seconds are foreseen for a machine like the one on which the figures of the cost model were
 * measured. They are not corrected by a probe at the start of a run: it would cost every run
 * something, and a strategy is chosen by ratios, which carry over.
 */
export function predictionOf(load: LoadPlan, outcome: LoadOutcome): LoadPrediction {
  const { files, rows } = toLoad(load);
  const ended = [outcome.files, outcome.unlisted ?? []];
  const complete = files > 0 && ended.every((some) => some.every(isWell));
  const cost = load.costs.find(({ strategy }) => strategy === load.strategy);
  return {
    seconds: foreseen(cost?.seconds ?? null, complete ? outcome.seconds : null),
    rows: foreseen(rows, complete ? outcome.totals.rowsRead : null),
    multiplicity: foreseen(
      load.overlap.sampled ? load.overlap.multiplicity : null,
      complete ? rowsPerKey(load, outcome.totals) : null,
    ),
    conflicts: {
      predicted: load.conflicts.length,
      waitedMs: complete ? waitedMs(load, outcome.files) : null,
    },
    strategies: load.costs.map(({ strategy, seconds }) => ({ strategy, seconds })),
  };
}

/** Of very many files, so that nothing is made for each. */
function toLoad({ files }: LoadPlan): { readonly files: number; readonly rows: number } {
  let [count, rows] = [0, 0];
  for (const { skip, estimatedRows } of files) {
    if (skip !== null) continue;
    count += 1;
    rows += estimatedRows;
  }
  return { files: count, rows };
}

function isWell({ status }: Pick<FileReport, 'status'>): boolean {
  return status === 'loaded' || status === 'skipped';
}

function foreseen(predicted: number | null, actual: number | null): Foreseen {
  const known = predicted !== null && actual !== null && predicted > 0;
  return { predicted, actual, ratio: known ? actual / predicted : null };
}

/**
 * Known where one merge saw all rows of a key (`partitioned`, a single unit), or the table was empty
 * before, so that each key was new once. Elsewhere a key counts once in each unit that brings it.
 */
function rowsPerKey(load: LoadPlan, totals: Counts): number | null {
  if (load.key.length === 0) return null;
  const { inserted, updated, unchanged, superseded } = totals;
  const written = inserted + updated + unchanged;
  const once = load.strategy === 'partitioned' || load.units.length === 1;
  const keys = once ? written : load.table.create !== null || load.table.empty ? inserted : 0;
  return keys === 0 ? null : (written + superseded) / keys;
}

/** Staged units that waited for earlier ones, all together; files of one unit wait once. */
function waitedMs(load: LoadPlan, files: readonly FileReport[]): number {
  const waits = new Map<number, number>();
  for (const unit of load.units) {
    const [first = -1] = unit.files;
    waits.set(first, files[first]?.waitMs ?? 0);
  }
  return [...waits.values()].reduce((sum, ms) => sum + ms, 0);
}
