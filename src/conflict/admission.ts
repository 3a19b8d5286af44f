import { assert, present } from '../assert.ts';
import {
  afterDirectOnly,
  blockerOf,
  keysHelp,
  type AdmissionMode,
  type LiveUnit,
  type LiveUnits,
  type StagedFacts,
} from './clearance.ts';
import type { KeyRange } from './key-range.ts';
import { isSorted } from './key-set.ts';

/**
 * Admission: which unit of work may merge now, so that the table ends as if the units had been
 * merged one by one in order of precedence. Pure: no I/O, no clock, no randomness.
 *
 * The state machine of one unit:
 *
 *     waiting ──started──▶ staging ──staged──▶ ready ──admit──▶ merging ──merged──▶ merged
 *                             │                  ▲
 *                             └─staged─▶ exporting ──keys
 *
 * - Units start in order of precedence, so every unit that is earlier than a started one has itself
 *   been started: only started units that are not merged ("live" ones) can stand in the way, and
 *   the caller's concurrency bounds how many those are. A merged unit's keys are dropped at once, so
 *   at most concurrency × rows of a unit × 8 bytes are held, and never more than `keysMax` keys.
 * - `staged` brings facts: the rows and the exact range of the leading key column. It answers
 *   whether the hashes of the keys are wanted, too; if so, the unit is `exporting` until `keys`
 *   brings them, and is not admitted before.
 * - `unstaged` voids the facts of a unit in any state (its session is lost): it is staging again.
 *   What was proved with those facts is forgotten.
 * - `merged` may come in any live state: the ledger may tell that a try believed lost did commit.
 * - `failed` sets the bar: no unit later than a failed one is admitted from then on, except that
 *   one that is merging goes on. It says nothing of the failed unit itself, which may still be
 *   admitted where it is staged: a group merges the files before the one that failed. Call it
 *   before the next `admit`, or a later unit may be judged by the facts of a part.
 *
 * A ready unit u is admitted once each earlier live unit v is cleared for it. v is cleared when
 *
 *   mode free: always. Mode ordered: never, v must have merged. Mode prove: both are staged, and
 *   1. u or v has no rows (u may go even before v is staged: who merges nothing meets nobody); or
 *   2. their exact ranges do not meet; or
 *   3. the keys of both are held, and no hash is in both; or
 *   4. both are direct.
 *
 * Only facts clear. A plan's conflicts and ranges (of a sample, or of a Parquet footer, a third
 * party's claim) are hints that decide whether keys are worth their export: not for a pair that is
 * predicted to conflict, nor for one whose ranges do not meet. Where a hint was wrong, or the bound
 * on keys was reached, keys are missing and the later unit waits until the earlier one has merged:
 * a plan that predicts too little or too much costs time, never the result.
 *
 * A direct unit writes into the table while it is `staging`, in a transaction that its merge only
 * commits. Direct units have windows of the key that do not meet, and the database keeps each to its
 * own: a row outside of it, or any other trouble, takes the unit back to ordinary staging. Or, of documents,
 * the plan has seen all keys in their paths, and no two are one (plan/spelled-keys.ts). So none
 * waits for a lock of another. But a unit that merges might, for one of a later direct unit. That is
 * why a unit may be direct only while all earlier live units are; where one of these falls back, the
 * later ones are revoked as soon as they are staged, and what falls back waits until they are gone.
 *
 * Nobody waits for ever: waits lead from later to earlier units, and from one that fell back to
 * later direct ones, which are being staged or revoked and so end by themselves. The earliest live
 * unit has nothing else to wait for, so as long as it ends (merges, or fails and thereby bars the
 * rest), all end.
 */
export interface Admission {
  /** The next unit, in order of precedence, is being staged. */
  started(unit: number): void;
  /**
   * Whether the unit that is about to be staged may be direct; if so, it is taken to be until
   * `staged` or `unstaged` says otherwise. Ask for units only that have windows.
   */
  direct(unit: number): boolean;
  /** Facts of a staged unit. Keys are wanted where they may let somebody merge earlier. */
  staged(unit: number, facts: StagedFacts): { readonly keysWanted: boolean };
  /** The hashes of the staged keys, sorted ascending; given away, not to be changed any more. */
  keys(unit: number, keys: Float64Array): void;
  unstaged(unit: number): void;
  merged(unit: number): void;
  failed(unit: number): void;
  /** Units that may begin to merge now, ascending; each is told once, and is merging from then. */
  admit(): number[];
  /** The lowest unit that this ready unit waits for; null where it waits for none. */
  blockedBy(unit: number): number | null;
  /** Staged direct units that must roll back and be staged in the ordinary way. Told each time. */
  revoked(): number[];
  /** Whether an earlier unit has failed. A barred unit need not start. */
  barred(unit: number): boolean;
  /** Live units that are barred and not merging: they can never be admitted. Told each time. */
  cancelled(): number[];
  /** Keys held or promised, for the bound. */
  keysHeld(): number;
}

export type { AdmissionMode, StagedFacts } from './clearance.ts';

export interface AdmissionOptions {
  /** In order of precedence; the index is the unit. */
  readonly units: readonly { readonly rangeHint: KeyRange | null }[];
  readonly conflicts: readonly { readonly before: number; readonly after: number }[];
  readonly mode: AdmissionMode;
  readonly keysMax: number;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const state: AdmissionState = {
    units: options.units,
    mode: options.mode,
    predecessors: predecessorsOf(options.conflicts),
    live: new Map(),
    next: 0,
    bar: Infinity,
    keysMax: options.keysMax,
    keysReserved: 0,
  };
  return {
    started: (unit) => started(state, unit),
    direct: (unit) => goDirect(state, unit),
    staged: (unit, facts) => staged(state, unit, facts),
    keys: (unit, keys) => keysCame(state, unit, keys),
    unstaged(unit) {
      forget(state, unit);
      state.live.set(unit, stagingUnit(unit));
    },
    merged(unit) {
      forget(state, unit);
      state.live.delete(unit);
    },
    failed(unit) {
      assert(state.live.has(unit), 'only a live unit fails');
      state.bar = Math.min(state.bar, unit);
    },
    admit: () => admit(state),
    blockedBy(unit) {
      const one = liveUnit(state, unit);
      return one.phase === 'ready' ? blockerOf(state, one) : null;
    },
    revoked: () => revoked(state),
    barred: (unit) => unit > state.bar,
    cancelled: () =>
      [...state.live.values()]
        .filter((one) => one.unit > state.bar && one.phase !== 'merging')
        .map((one) => one.unit),
    keysHeld: () => state.keysReserved,
  };
}

interface AdmissionState extends LiveUnits {
  /** Units are started in order of precedence, so the map holds them in that order. */
  readonly live: Map<number, LiveUnit>;
  next: number;
  /** The lowest unit that has failed. */
  bar: number;
  readonly keysMax: number;
  /** Keys held, or wanted and on their way: both count against the bound. */
  keysReserved: number;
}

/** For each unit, those that the plan says must merge before it. */
function predecessorsOf(conflicts: AdmissionOptions['conflicts']): Map<number, Set<number>> {
  const sets = new Map<number, Set<number>>();
  for (const { before, after } of conflicts) {
    assert(before < after, 'a conflict leads to a later unit');
    const set = sets.get(after);
    if (set === undefined) sets.set(after, new Set([before]));
    else set.add(before);
  }
  return sets;
}

function started(state: AdmissionState, unit: number): void {
  assert(unit === state.next && unit < state.units.length, 'units start in order of precedence');
  state.next += 1;
  state.live.set(unit, stagingUnit(unit));
}

function goDirect(state: AdmissionState, unit: number): boolean {
  const one = liveUnit(state, unit);
  assert(one.phase === 'staging', 'a unit is direct before it is staged, or not at all');
  one.direct = afterDirectOnly(state, one);
  return one.direct;
}

function revoked(state: AdmissionState): number[] {
  if (state.mode === 'free') return [];
  return [...state.live.values()]
    .filter((one) => one.direct && one.phase === 'ready' && !afterDirectOnly(state, one))
    .map((one) => one.unit);
}

function staged(state: AdmissionState, unit: number, facts: StagedFacts): { keysWanted: boolean } {
  const one = liveUnit(state, unit);
  assert(one.phase === 'staging', 'a unit is staged once per try');
  assert(Number.isSafeInteger(facts.rows) && facts.rows >= 0, 'rows are counted');
  const direct = facts.direct ?? false;
  assert(one.direct || !direct, 'only a unit that may be direct is');
  one.direct = direct;
  one.facts = { rows: facts.rows, range: facts.range };
  const keys = facts.keys ?? facts.rows;
  const keysFit = state.keysReserved + keys <= state.keysMax;
  const keysWanted = keysFit && keysHelp(state, one, one.facts);
  one.phase = keysWanted ? 'exporting' : 'ready';
  reserve(state, one, keysWanted ? keys : 0);
  return { keysWanted };
}

function keysCame(state: AdmissionState, unit: number, keys: Float64Array): void {
  const one = liveUnit(state, unit);
  assert(one.phase === 'exporting', 'keys were wanted');
  assert(keys.length <= one.keysReserved, 'there are no more keys than staged rows');
  assert(isSorted(keys), 'keys are sorted');
  one.keys = keys;
  one.phase = 'ready';
  reserve(state, one, keys.length);
}

function admit(state: AdmissionState): number[] {
  const admitted = [...state.live.values()].filter(
    (one) => one.phase === 'ready' && one.unit <= state.bar && blockerOf(state, one) === null,
  );
  for (const one of admitted) one.phase = 'merging';
  return admitted.map((one) => one.unit);
}

/** Gives the unit's keys back, and forgets what was proved with them. */
function forget(state: AdmissionState, unit: number): void {
  reserve(state, liveUnit(state, unit), 0);
  for (const other of state.live.values()) other.compared.delete(unit);
}

function reserve(state: AdmissionState, one: LiveUnit, count: number): void {
  state.keysReserved += count - one.keysReserved;
  one.keysReserved = count;
  assert(state.keysReserved >= 0 && state.keysReserved <= state.keysMax, 'keys keep their bound');
}

function liveUnit(state: AdmissionState, unit: number): LiveUnit {
  return present(state.live.get(unit), `live unit ${unit}`);
}

function stagingUnit(unit: number): LiveUnit {
  return {
    ...{ unit, phase: 'staging', direct: false, facts: null },
    ...{ keys: null, keysReserved: 0, compared: new Map() },
  };
}
