import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import { STRATEGIES, type LoadRequest, type Strategy } from '../job/schema.ts';
import type { Costs } from './cost.ts';
import { allDirect } from './direct-units.ts';
import { countText, secondsText } from './figures.ts';
import { obstacleTo, type ObstacleFacts } from './obstacles.ts';
import type { ConflictEdge, OverlapEstimate, StrategyCost, UnitPlan } from './plan-types.ts';

export interface StrategyFacts extends ObstacleFacts {
  readonly requested: LoadRequest['strategy'];
  /** As the file pipeline takes them. */
  readonly units: readonly UnitPlan[];
  /** As `partitioned` takes them: files that are split, and into how many parts; null for none. */
  readonly split: { readonly files: number; readonly parts: number } | null;
  /** Workers of `partitioned` that copy rows into the table at once; null: it stages them. */
  readonly directShares?: number | null;
  readonly conflicts: readonly ConflictEdge[];
  readonly overlap: OverlapEstimate;
  /** For people. */
  readonly table: string;
}

export interface Choice {
  readonly strategy: Strategy;
  /** One sentence, without the name of the strategy. */
  readonly reason: string;
}

/** The estimate of each strategy, or why it cannot do the load. */
export function strategyCosts(facts: StrategyFacts, costs: Costs): StrategyCost[] {
  return STRATEGIES.map((strategy) => {
    const obstacle = obstacleTo(strategy, facts);
    return obstacle === null
      ? { strategy, seconds: costs[strategy], why: whyCosts(strategy, facts) }
      : { strategy, seconds: null, why: obstacle };
  });
}

/**
 * The strategy of a load: what is asked for, unless it would break the promise; in order where the
 * catalog couples rows; unordered where nothing needs an order; otherwise the cheapest.
 */
export function chooseStrategy(facts: StrategyFacts, costs: readonly StrategyCost[]): Choice {
  if (facts.units.length === 0) {
    const strategy = facts.requested === 'auto' ? 'full-parallel' : facts.requested;
    return { strategy, reason: 'nothing is left to load' };
  }
  if (facts.requested !== 'auto') return asRequested(facts.requested, facts, costs);
  const [coupling, ...more] = facts.couplings;
  if (facts.deterministic && coupling !== undefined) {
    const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
    return { strategy: 'sequential', reason: `${coupling.sentence}${others}` };
  }
  if (!facts.deterministic && facts.split === null) {
    return {
      strategy: 'full-parallel',
      reason: 'deterministic is off, so nothing is ordered: of rows with one key, any may win',
    };
  }
  if (facts.onConflict === 'append') {
    return { strategy: 'full-parallel', reason: 'append has no key, so no file waits for another' };
  }
  return cheapest(facts, costs);
}

function asRequested(
  strategy: Strategy,
  facts: StrategyFacts,
  costs: readonly StrategyCost[],
): Choice {
  const obstacle = obstacleTo(strategy, facts);
  if (obstacle !== null) {
    throw new EtlError(
      'ETL_USAGE',
      `The strategy ${strategy} could leave another table than a sequential load of ${facts.table}: ${obstacle}.`,
      remedy`Use ${setting('strategy', 'auto')}, or sequential, which is always right.`,
      { table: facts.table },
    );
  }
  const seconds = secondsOf(strategy, costs);
  return { strategy, reason: `as asked for; about ${secondsText(seconds)}` };
}

/**
 * `partitioned` must take less than this share of the time of units that are copied directly: it
 * takes twice the server's CPU for the same rows, and a third more WAL.
 */
const DIRECT_SHARE = 0.75;
const DIRECT_REASON = 'new rows are copied into the table without staging';

function cheapest(facts: StrategyFacts, costs: readonly StrategyCost[]): Choice {
  const possible = costs.filter((cost) => cost.seconds !== null);
  // Where nothing is predicted, hybrid is full-parallel by another name; else the other way round.
  const twin = facts.conflicts.length === 0 ? 'hybrid' : 'full-parallel';
  const strategies = possible.map((cost) => cost.strategy).filter((name) => name !== twin);
  const seconds = (name: Strategy) => secondsOf(name, costs);
  const staged = allDirect(facts.units) && !copiesShares(facts);
  const weighed = (name: Strategy) =>
    staged && name === 'partitioned' ? seconds(name) / DIRECT_SHARE : seconds(name);
  const [strategy = 'full-parallel', second] = strategies.toSorted(
    (a, b) => weighed(a) - weighed(b),
  );
  const against =
    second === undefined || (facts.units.length === 1 && facts.split === null)
      ? ''
      : `; about ${versus(seconds(strategy), seconds(second), second)}`;
  return { strategy, reason: `${whyChosen(strategy, facts)}${against}` };
}

/** `1.8 s, against 3.0 s for sequential`; where both read alike, there is nothing to compare. */
function versus(chosen: number, other: number, name: Strategy): string {
  const [own, others] = [secondsText(chosen), secondsText(other)];
  return own === others ? `${own}, the same as ${name}` : `${own}, against ${others} for ${name}`;
}

function copiesShares({ directShares = null }: StrategyFacts): boolean {
  return directShares !== null;
}

function whyShares({ directShares = null }: StrategyFacts): string {
  return `new rows are copied into the table without staging, by ${countText(directShares ?? 0)} workers at once`;
}

function whyChosen(strategy: Strategy, facts: StrategyFacts): string {
  const { units, split, conflicts, overlap } = facts;
  switch (strategy) {
    case 'full-parallel':
      if (allDirect(units)) return DIRECT_REASON;
      return units.length === 1 ? 'one unit of work, so nothing waits' : overlap.sentence;
    case 'hybrid':
      return whyHybrid(conflicts.length, (units.length * (units.length - 1)) / 2);
    case 'sequential':
      return `nearly all units share keys, so they would wait for each other anyway`;
    case 'partitioned':
      if (copiesShares(facts)) return whyShares(facts);
      return split === null
        ? `about ${overlap.multiplicity.toFixed(1)} rows per key, and each key is written once`
        : `${splitText(split)}, so that all workers have work`;
  }
}

/** `1 large file is split into 24 parts`. */
function splitText({ files, parts }: NonNullable<StrategyFacts['split']>): string {
  const what = files === 1 ? 'file is' : 'files are';
  return `${countText(files)} large ${what} split into ${countText(parts)} parts`;
}

function whyHybrid(predicted: number, pairs: number): string {
  if (predicted < pairs) {
    return `${countText(predicted)} of ${countText(pairs)} pairs of units share keys and merge in order, the others at once`;
  }
  return pairs === 1
    ? 'both units share keys, so they are staged at once and merged in order'
    : 'all units share keys, so they are staged at once and merged in order';
}

function whyCosts(strategy: Strategy, facts: StrategyFacts): string {
  const { units, conflicts, overlap, deterministic } = facts;
  switch (strategy) {
    case 'full-parallel':
      if (allDirect(units)) return DIRECT_REASON;
      if (!deterministic || facts.onConflict === 'append') return 'no unit waits for another';
      return conflicts.length === 0
        ? 'no conflict is predicted; every pair of units is proved'
        : 'predicts nothing, so every pair of units is proved, and those that share keys wait';
    case 'hybrid':
      return conflicts.length === 0
        ? 'no conflict is predicted: the same as full-parallel'
        : `${countText(conflicts.length)} predicted conflicts merge in order, other pairs are proved`;
    case 'sequential':
      return units.length === 1
        ? 'one unit merges'
        : `${countText(units.length)} units merge one after another, staging runs ahead`;
    case 'partitioned':
      if (copiesShares(facts)) return whyShares(facts);
      return `stages all, then writes each key once (about ${overlap.multiplicity.toFixed(1)} rows per key)`;
  }
}

function secondsOf(strategy: Strategy, costs: readonly StrategyCost[]): number {
  return costs.find((cost) => cost.strategy === strategy)?.seconds ?? Infinity;
}
