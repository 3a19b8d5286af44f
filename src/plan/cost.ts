import { criticalPath } from '../conflict/conflict-graph.ts';
import { LIMITS } from '../limits.ts';
import { hasScannableKeys } from '../source/csv/scan-keys.ts';
import { documentIn, inputOf } from '../source/transform/input-of.ts';
import { COSTS } from './cost-figures.ts';
import { meetsAnother } from './key-span.ts';
import type { ConflictEdge, FilePlan, UnchangedPlan, UnitPlan } from './plan-types.ts';

/** What the estimate is made of. */
export interface CostFacts {
  readonly files: readonly Pick<FilePlan, 'description' | 'estimatedRows' | 'targets'>[];
  readonly units: readonly UnitPlan[];
  /** Between units. */
  readonly conflicts: readonly ConflictEdge[];
  /** Estimated rows per key over all files, and inside one file. */
  readonly multiplicity: number;
  readonly multiplicityInside: number;
  /** Workers, and the processors that they can keep busy. */
  readonly concurrency: number;
  readonly cores: number;
  readonly targetRows: number;
  readonly targetEmpty: boolean;
  /** Whether all keys seem to be new. */
  readonly newKeys: boolean;
  /** Whether `partitioned` reads the keys first and sends no row that loses for certain. */
  readonly dropsSuperseded: boolean;
  /** Whether pairs of units are proved to share no key, or wait. */
  readonly deterministic: boolean;
  /** Whether the table is made, and may be filled before it gets its key. */
  readonly fills?: boolean;
  /** Ordinals of files whose rows do not come in the order of their keys; none where absent. */
  readonly scattered?: ReadonlySet<number>;
  /** Columns of the files that are looked up; none where absent. */
  readonly lookups?: number;
  /** What is compared before anything is sent; nothing where null or absent. */
  readonly unchanged?: Pick<UnchangedPlan, 'sampled' | 'equal' | 'tableRows'> | null;
}

/** Estimated seconds of each strategy, whether or not it is possible. */
export interface Costs {
  readonly 'full-parallel': number;
  readonly hybrid: number;
  readonly sequential: number;
  readonly partitioned: number;
}

interface UnitWork {
  readonly stage: number;
  readonly merge: number;
}

/**
 * No strategy is faster than its work spread over the processors, nor than the longest chain of
 * merges that must wait for each other. `full-parallel` and `hybrid` have the same chain, since a
 * proof that fails makes a unit wait like a prediction; `hybrid` saves the proof of what it predicts.
 */
export function estimateCosts(given: CostFacts): Costs {
  const { facts, comparing } = comparedFirst(given);
  const units = unitWork(facts);
  const staging = sum(units.map((unit) => unit.stage));
  const merging = sum(units.map((unit) => unit.merge));
  // No more workers are started than there are units of work.
  const workers = Math.max(1, Math.min(facts.concurrency, units.length));
  const busy = 1 + COSTS.furtherWorker * (Math.min(workers, Math.max(1, facts.cores)) - 1);
  const inOrder = Math.max((staging + merging) / busy, (units[0]?.stage ?? 0) + merging);
  const proved = (predictedToo: boolean): number => {
    if (keysExceedLimit(facts)) return inOrder;
    const keys = keysToProve(facts, predictedToo);
    const work = (staging + merging + keys * COSTS.exportKey) / busy;
    return Math.max(work, longestChain(facts, units)) + keys * COSTS.proveKey;
  };
  const shared = (): number => partitionedWork(facts, units, workers) / busy;
  const fills = facts.fills === true;
  return {
    'full-parallel': comparing + (fills ? filling(facts, busy) : proved(true)),
    hybrid: comparing + proved(false),
    sequential: comparing + inOrder,
    partitioned: (fills ? filling(facts, busy) : shared()) + COSTS.partitionedSetUp,
  };
}

/** What is left to be loaded once the rows that change nothing are left out, and what that costs. */
function comparedFirst(facts: CostFacts): { facts: CostFacts; comparing: number } {
  const { unchanged = null, files, units } = facts;
  if (unchanged === null) return { facts, comparing: 0 };
  const comparing =
    totalRows(facts) * COSTS.compareRecord + unchanged.tableRows * COSTS.compareTableRow;
  const sent = 1 - unchanged.equal / unchanged.sampled;
  const left = <T extends { readonly estimatedRows: number }>(all: readonly T[]): T[] =>
    all.map((one) => ({ ...one, estimatedRows: one.estimatedRows * sent }));
  return { facts: { ...facts, files: left(files), units: left(units) }, comparing };
}

/** Rows are copied into a table without a key, which one backend then adds. */
function filling(facts: CostFacts, busy: number): number {
  const { units, files } = facts;
  const copying = units.map((unit) =>
    sum(unit.files.map((file) => stagingOf(unit, files[file], COSTS.fillRow))),
  );
  const parts = findingParts(facts);
  return (sum(copying) + parts) / busy + totalRows(facts) * COSTS.addKeyRow;
}

/** Rows that lose are sent, and merged, only where their keys cannot be read beforehand. */
function partitionedWork(facts: CostFacts, units: readonly UnitWork[], owners: number): number {
  const staging = sum(units.map((unit) => unit.stage)) + findingParts(facts);
  const rows = totalRows(facts);
  if (!facts.dropsSuperseded || rows === 0)
    return staging + partitionedMerging(facts, rows, owners);
  const sifted = sum(
    facts.files
      .filter(({ description }) => hasScannableKeys(description))
      .map((file) => file.estimatedRows),
  );
  const sent = (rows - sifted + sifted / facts.multiplicity) / rows;
  const sifting = sifted * COSTS.siftRow;
  return sifting + staging * sent + partitionedMerging(facts, rows * sent, owners);
}

/** Files of which parts are loaded are read once more. */
function findingParts({ units, files }: CostFacts): number {
  const parts = units.filter(
    ({ part, files: [file = -1] }) => part !== null && inputKind(files[file]) === 'csv',
  );
  return sum(parts.map((unit) => unit.bytes)) * COSTS.findPartsByte;
}

function inputKind(file: CostFacts['files'][number] | undefined): string | null {
  return file === undefined ? null : inputOf(file.description).kind;
}

function unitWork(facts: CostFacts): UnitWork[] {
  const rows = totalRows(facts);
  const staged = rows / facts.multiplicityInside;
  const writing = rows === 0 ? 0 : writingKeys(facts, staged) / rows;
  const sorting = ({ files }: UnitPlan): number =>
    files.some((file) => facts.scattered?.has(file) === true) ? COSTS.sortRow : 0;
  return facts.units.map((unit) => ({
    stage:
      COSTS.unit +
      sum(unit.files.map((file) => stagingOf(unit, facts.files[file]))) +
      unit.estimatedRows * lookingUp(facts),
    merge:
      unit.direct === undefined
        ? unit.estimatedRows * (COSTS.pickRow + sorting(unit) + writing)
        : 0,
  }));
}

/** Of a staged row. */
function lookingUp({ lookups = 0 }: CostFacts): number {
  return lookups === 0 ? 0 : COSTS.foundRow + lookups * COSTS.lookUpRow;
}

function stagingOf(
  unit: UnitPlan,
  file: CostFacts['files'][number] | undefined,
  copiedRow = unit.direct === undefined ? COSTS.stageCsvRow : COSTS.copyNewRow,
): number {
  if (file === undefined) return 0;
  const { description } = file;
  const rows = unit.part === null ? file.estimatedRows : unit.estimatedRows;
  if (description.kind === 'document') return rows * COSTS.stageDocument;
  if (documentIn(description) !== null) {
    return rows * (COSTS.stageDocument + COSTS.stageRewrittenRow);
  }
  const opening = unit.part === null ? COSTS.file : 0;
  const row =
    description.kind === 'parquet'
      ? COSTS.stageParquetRow
      : description.kind === 'json'
        ? COSTS.stageJsonRow
        : description.kind === 'transformed' || description.path === 'rows'
          ? COSTS.stageRewrittenRow
          : COSTS.stageCsvRow;
  // The rest of a direct copy is the same for all formats.
  const written = rows * (copiedRow - COSTS.stageCsvRow);
  const cells = rows * Math.max(1, file.targets.length);
  return opening + written + (cells * row) / COSTS.stageColumns;
}

/**
 * Writing so many keys, one for each row that a merge picks: each distinct key is new once at most,
 * all others are updates. How many keys a full table already holds is not known; half is assumed.
 */
function writingKeys(facts: CostFacts, picked: number): number {
  const distinct = Math.min(picked, totalRows(facts) / facts.multiplicity);
  const known = facts.targetEmpty || facts.newKeys ? 0 : Math.min(facts.targetRows, distinct / 2);
  const fresh = distinct - known;
  // A unit whose keys are all new is inserted without ON CONFLICT.
  const allNew = picked - fresh < 1;
  const insert = allNew ? COSTS.insertNewKey : COSTS.insertKey;
  const seconds = fresh * insert + (picked - fresh) * COSTS.updateKey;
  const levels = Math.log(facts.targetRows + totalRows(facts) + 1) / Math.log(COSTS.indexFanOut);
  return (seconds * Math.max(1, levels)) / COSTS.indexLevels;
}

function partitionedMerging(facts: CostFacts, sent: number, owners: number): number {
  const perRow = COSTS.pickRow + COSTS.ownKey * owners;
  const keys = totalRows(facts) / facts.multiplicity;
  return sent * perRow + keys * COSTS.pickSharedKey + writingKeys(facts, keys);
}

/**
 * Keys of units that have a pair to prove: not told apart by ranges or windows, and (in `hybrid`)
 * not predicted to wait for all others anyway.
 */
function keysToProve(
  { units, conflicts, deterministic }: CostFacts,
  predictedToo: boolean,
): number {
  if (!deterministic) return 0;
  const partners = new Uint32Array(units.length);
  for (const { before, after } of predictedToo ? [] : conflicts) {
    partners[before] = (partners[before] ?? 0) + 1;
    partners[after] = (partners[after] ?? 0) + 1;
  }
  const meets = meetsAnother(units.map((unit) => unit.range));
  const proves = units.filter(
    ({ direct }, index) =>
      direct === undefined && meets[index] === true && (partners[index] ?? 0) < units.length - 1,
  );
  return sum(proves.map((unit) => unit.estimatedRows));
}

function longestChain(facts: CostFacts, units: readonly UnitWork[]): number {
  if (!facts.deterministic) {
    return units.reduce((most, unit) => Math.max(most, unit.stage + unit.merge), 0);
  }
  const { weight, units: chain } = criticalPath(
    units.map((unit) => unit.merge),
    facts.conflicts,
  );
  return weight + (units[chain[0] ?? 0]?.stage ?? 0);
}

/** Admission may not hold the keys of all units under way: then those beyond merge in order. */
function keysExceedLimit({ units, concurrency, deterministic }: CostFacts): boolean {
  const largest = units
    .filter(({ direct }) => direct === undefined)
    .map((unit) => unit.estimatedRows)
    .sort((a, b) => b - a)
    .slice(0, concurrency);
  return deterministic && units.length > 1 && sum(largest) > LIMITS.admissionKeysMax;
}

function totalRows({ units }: CostFacts): number {
  return sum(units.map((unit) => unit.estimatedRows));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
