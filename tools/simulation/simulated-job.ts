import { conflictEdges, type FilePair } from '../../src/conflict/conflict-graph.ts';
import type { AdmissionMode } from '../../src/conflict/admission.ts';
import type { KeyRange } from '../../src/conflict/key-range.ts';
import type { ConflictEdge, UnitPlan } from '../../src/plan/plan-types.ts';
import type { PipelineLoad } from '../../src/run/file-pipeline-options.ts';
import type { Random } from './random.ts';
import type { Policy, SimulatedRow } from './simulated-table.ts';

export interface SimulatedFile {
  readonly name: string;
  readonly rows: readonly SimulatedRow[];
}

/** One job: what there is to load, and what the planner believes of it. */
export interface SimulatedJob {
  readonly files: readonly SimulatedFile[];
  readonly policy: Policy;
  readonly mode: AdmissionMode;
  readonly concurrency: number;
  readonly keysMax: number;
  /** How many different hashes keys can have. */
  readonly hashesMax: number;
  /** Whether the leading key column can be compared, so that staged units have exact ranges. */
  readonly comparable: boolean;
  /** How much the planner errs: chance that a real conflict is missed, and that one is invented. */
  readonly missChance: number;
  readonly inventChance: number;
  /** Chance that a unit whose keys lie above those before it has a window for a direct copy. */
  readonly directChance: number;
}

export function randomJob(random: Random): SimulatedJob {
  const fileCount = random.integer(1, 14);
  return {
    files: randomFiles(random, fileCount),
    policy: random.pick(['update', 'update', 'ignore', 'newest']),
    mode: random.pick(['prove', 'prove', 'prove', 'prove', 'prove', 'prove', 'ordered', 'free']),
    concurrency: random.integer(1, 7),
    keysMax: random.pick([0, 10, 30, 1_000, 1_000, 1_000]),
    hashesMax: random.pick([2 ** 53, 2 ** 53, 64]),
    comparable: random.chance(0.7),
    missChance: random.pick([0, 0.5, 1]),
    inventChance: random.pick([0, 0, 0.1]),
    directChance: random.pick([0, 0.8, 1, 1]),
  };
}

/** Overlap from none to all, skewed sizes, duplicates inside or none, sorted or random ranges. */
function randomFiles(random: Random, fileCount: number): SimulatedFile[] {
  const shape = random.pick(['apart', 'touching', 'touching', 'scattered', 'scattered', 'same']);
  const rowsMax = random.pick([3, 10, 40]);
  const universe = random.pick([4, 15, 40, 400]);
  const shuffled = random.chance(0.3);
  const distinct = random.chance(0.6);
  const slots = Array.from({ length: fileCount }, (_, file) =>
    shuffled ? random.integer(0, fileCount - 1) + file * fileCount : file,
  );
  let id = 0;
  return slots.map((slot, file) => {
    const size = Math.floor(rowsMax * random.next() ** 3) + (random.chance(0.9) ? 1 : 0);
    const rows = Array.from({ length: size }, (): SimulatedRow => {
      id += 1;
      const width = Math.max(1, rowsMax);
      const key = {
        apart: () => slot * width + random.integer(0, width - 1),
        touching: () => slot * width + random.integer(0, width + 1),
        scattered: () => random.integer(0, universe),
        same: () => random.integer(0, 5),
      }[shape]();
      return { key, version: random.integer(0, 3), id };
    });
    return { name: `file${file}`, rows: distinct ? firstOfEachKey(rows) : rows };
  });
}

/** In the order of the key: files that may be copied directly. */
function firstOfEachKey(rows: readonly SimulatedRow[]): SimulatedRow[] {
  const first = new Map(rows.toReversed().map((row) => [row.key, row]));
  return [...first.values()].sort((a, b) => a.key - b.key);
}

/** The plan for the files that are left: units, hints and predictions, some of them wrong. */
export function planJob(
  job: SimulatedJob,
  remaining: readonly number[],
  random: Random,
): PipelineLoad {
  const unitFiles = randomGroups(remaining, random);
  const planned = unitFiles.map((files, ordinal): UnitPlan => {
    const rows = files.flatMap((file) => job.files[file]?.rows ?? []);
    const range = randomHint(rows, random);
    return { ordinal, files, part: null, estimatedRows: rows.length, bytes: rows.length, range };
  });
  const units = withWindows(planned, job, random);
  const files = job.files.map(({ name }) => ({ name, path: `/data/${name}` }));
  return { files, units, conflicts: randomConflicts(job, unitFiles, random) };
}

function randomGroups(remaining: readonly number[], random: Random): number[][] {
  const groupMax = random.pick([1, 2, 4]);
  const groups: number[][] = [];
  for (let from = 0; from < remaining.length;) {
    const size = random.integer(1, groupMax);
    groups.push(remaining.slice(from, from + size));
    from += size;
  }
  return groups;
}

/** Windows that do not meet; the keys of a unit may lie outside of its own all the same. */
function withWindows(units: readonly UnitPlan[], job: SimulatedJob, random: Random): UnitPlan[] {
  const lies = random.chance(0.5);
  const starts: { readonly unit: number; readonly from: number }[] = [];
  for (const { ordinal, files } of units) {
    const rows = files.flatMap((file) => job.files[file]?.rows ?? []);
    const seen = lies ? rows.slice(0, Math.ceil(rows.length / 2)) : rows;
    const from = Math.min(...seen.map((row) => row.key));
    const isNext = Number.isFinite(from) && from > (starts.at(-1)?.from ?? -Infinity);
    if (isNext && random.chance(job.directChance)) starts.push({ unit: ordinal, from });
  }
  return units.map((unit) => {
    const place = starts.findIndex((start) => start.unit === unit.ordinal);
    if (place < 0) return unit;
    const end = (start: number | undefined) => (start === undefined ? null : String(start));
    const from = place === 0 ? null : end(starts[place]?.from);
    return { ...unit, direct: { column: 'key', from, before: end(starts[place + 1]?.from) } };
  });
}

export function rangeOf(rows: readonly SimulatedRow[]): KeyRange | null {
  if (rows.length === 0) return null;
  const keys = rows.map((row) => row.key);
  return { kind: 'integer', min: String(Math.min(...keys)), max: String(Math.max(...keys)) };
}

/** The true range, that of a part of the rows, one that lies elsewhere, or none. */
function randomHint(rows: readonly SimulatedRow[], random: Random): KeyRange | null {
  const elsewhere: KeyRange = { kind: 'integer', min: '1000000', max: '1000001' };
  return random.pick([
    rangeOf(rows),
    rangeOf(rows),
    rangeOf(rows.slice(0, Math.ceil(rows.length / 3))),
    elsewhere,
    null,
    null,
  ]);
}

/** The true conflicts, from which some are dropped and to which some are added. */
function randomConflicts(
  job: SimulatedJob,
  unitFiles: readonly (readonly number[])[],
  random: Random,
): ConflictEdge[] {
  const edges = conflictEdges(
    truePairs(job.files).filter(() => !random.chance(job.missChance)),
    { unitFiles, fileRows: job.files.map((file) => file.rows.length) },
    0,
  );
  unitFiles.forEach((_, after) => {
    for (let before = 0; before < after; before += 1) {
      if (random.chance(job.inventChance)) edges.push({ before, after, share: 0.5 });
    }
  });
  return edges;
}

function truePairs(files: readonly SimulatedFile[]): FilePair[] {
  const keySets = files.map((file) => new Set(file.rows.map((row) => row.key)));
  return keySets.flatMap((keys, later) =>
    keySets.slice(0, later).flatMap((others, earlier) => {
      const shared = [...keys].filter((key) => others.has(key)).length;
      return shared === 0 ? [] : [{ earlier, later, share: shared / keys.size }];
    }),
  );
}
