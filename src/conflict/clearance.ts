import { present } from '../assert.ts';
import { LIMITS } from '../limits.ts';
import { rangesMeet, type KeyRange } from './key-range.ts';
import { keySetsMeet } from './key-set.ts';

/**
 * The judgement of pairs: whether an earlier unit that is not merged clears a later one, and whether
 * keys would help to clear it. The rules are told at the top of admission.ts.
 */
export type AdmissionMode = 'prove' | 'ordered' | 'free';

export interface StagedFacts {
  readonly rows: number;
  /** Exact range of the leading key column; null where it is not comparable. */
  readonly range: KeyRange | null;
  /** Keys that it has at most, where that is another number than its rows. */
  readonly keys?: number;
  /** Whether its rows are in the table itself, in an open transaction. */
  readonly direct?: boolean;
}

/** What is known of a unit that was started and is not merged. */
export interface LiveUnit {
  readonly unit: number;
  phase: 'staging' | 'exporting' | 'ready' | 'merging';
  /** Whether it writes, or has written, into the table itself. */
  direct: boolean;
  facts: StagedFacts | null;
  keys: Float64Array | null;
  /** Keys held, or wanted and on their way. */
  keysReserved: number;
  /** Verdicts of compared keys, by earlier unit: true where they meet. */
  readonly compared: Map<number, boolean>;
}

export interface LiveUnits {
  readonly units: readonly { readonly rangeHint: KeyRange | null }[];
  readonly mode: AdmissionMode;
  /** For each unit, those that the plan says must merge before it. */
  readonly predecessors: ReadonlyMap<number, ReadonlySet<number>>;
  /** In order of precedence. */
  readonly live: ReadonlyMap<number, LiveUnit>;
  /** The lowest unit that is not started. */
  readonly next: number;
}

/** The lowest live unit that stands in the way of this one; null where none does. */
export function blockerOf(units: LiveUnits, one: LiveUnit): number | null {
  for (const other of units.live.values()) {
    if (other.unit < one.unit && !clears(units, other, one)) return other.unit;
    if (other.unit > one.unit && mayHoldKeysOf(units, one, other)) return other.unit;
  }
  return null;
}

/** A merge would wait for the transaction of a later direct unit, which waits for that merge. */
function mayHoldKeysOf({ mode }: LiveUnits, one: LiveUnit, later: LiveUnit): boolean {
  return mode !== 'free' && later.direct && !one.direct;
}

/** Whether each earlier live unit is direct, too: of these no two have one key, see admission.ts. */
export function afterDirectOnly({ live }: LiveUnits, one: LiveUnit): boolean {
  for (const earlier of live.values()) {
    if (earlier.unit >= one.unit) return true;
    if (!earlier.direct) return false;
  }
  return true;
}

function clears(units: LiveUnits, earlier: LiveUnit, later: LiveUnit): boolean {
  if (units.mode !== 'prove') return units.mode === 'free';
  if (later.facts?.rows === 0) return true;
  if (earlier.facts === null || later.facts === null) return false;
  if (earlier.facts.rows === 0 || (earlier.direct && later.direct)) return true;
  if (!rangesMeet(earlier.facts.range, later.facts.range)) return true;
  return keysDiffer(earlier, later);
}

/** Compared once per pair: 4 ms for 500,000 keys against 500,000, and less where they meet. */
function keysDiffer(earlier: LiveUnit, later: LiveUnit): boolean {
  const known = later.compared.get(earlier.unit);
  if (known !== undefined) return !known;
  if (earlier.keys === null || later.keys === null) return false;
  const meet = keySetsMeet(earlier.keys, later.keys);
  later.compared.set(earlier.unit, meet);
  return !meet;
}

/**
 * Whether the keys of a unit that has just been staged could clear a pair that it is part of, with
 * another live unit or with one of those that start next.
 */
export function keysHelp(units: LiveUnits, one: LiveUnit, facts: StagedFacts): boolean {
  if (units.mode !== 'prove' || facts.rows === 0 || one.direct) return false;
  for (const other of units.live.values()) {
    if (other !== one && keysMayClear(units, one.unit, facts, other)) return true;
  }
  const end = Math.min(units.units.length, units.next + LIMITS.admissionLookaheadUnitsMax);
  for (let unit = units.next; unit < end; unit += 1) {
    const mayMeet = rangesMeet(facts.range, hintOf(units, unit));
    if (mayMeet && !isPredicted(units, one.unit, unit)) return true;
  }
  return false;
}

function keysMayClear(
  units: LiveUnits,
  unit: number,
  facts: StagedFacts,
  other: LiveUnit,
): boolean {
  if (other.direct || (other.unit > unit && other.phase === 'merging')) return false;
  const keysNeverCome =
    other.keys === null && (other.phase === 'ready' || other.phase === 'merging');
  if (keysNeverCome || other.facts?.rows === 0) return false;
  if (isPredicted(units, Math.min(unit, other.unit), Math.max(unit, other.unit))) return false;
  return rangesMeet(
    facts.range,
    other.facts === null ? hintOf(units, other.unit) : other.facts.range,
  );
}

function isPredicted(units: LiveUnits, before: number, after: number): boolean {
  return units.predecessors.get(after)?.has(before) === true;
}

function hintOf(units: LiveUnits, unit: number): KeyRange | null {
  return present(units.units[unit], `unit ${unit}`).rangeHint;
}
