import { readdir, readFile } from 'node:fs/promises';
import type { ExampleResult } from '../../benchmarks/examples/example-result.ts';
import type { BenchmarkCase, BenchmarkResults } from '../../benchmarks/results.ts';

/** Results that are kept in the repository, with the name of their file. */
export interface KeptResults {
  readonly name: string;
  readonly results: BenchmarkResults;
}

const FOLDER = new URL('../../benchmarks/results/', import.meta.url);

export async function readKeptResults(): Promise<readonly KeptResults[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => ({
      name,
      results: JSON.parse(await readFile(new URL(name, FOLDER), 'utf8')) as BenchmarkResults,
    })),
  );
}

/** The latest first, so that what was measured again stands for what was measured before. */
export function latestFirst(kept: readonly KeptResults[]): readonly KeptResults[] {
  const startOf = ({ results }: KeptResults): string => results.certificate.startedAt;
  return [...kept].sort((one, other) => startOf(other).localeCompare(startOf(one)));
}

/**
 * The cases of each scenario, all of one run: the latest that holds the scenario. What is compared
 * within a scenario was measured in turn.
 *
 * @param holds what the run must have of the scenario; anything, where it is left out
 */
export function casesOf(
  kept: readonly KeptResults[],
  holds: (one: BenchmarkCase) => boolean = () => true,
): readonly BenchmarkCase[] {
  const seen = new Set<string>();
  return latestFirst(kept).flatMap(({ results: { cases } }) => {
    const own = new Set(cases.filter((one) => holds(one)).map(({ scenario }) => scenario));
    const fresh = cases.filter(({ scenario }) => own.has(scenario) && !seen.has(scenario));
    for (const scenario of own) seen.add(scenario);
    return fresh;
  });
}

export interface KeptExample {
  /** What the example ran on: the version, and whether it is the server that etl brings with it. */
  readonly server: string;
  readonly result: ExampleResult;
}

/** The latest result of each example on each server; what etl brings with it is one, whatever its version. */
export function examplesOf(kept: readonly KeptResults[]): readonly KeptExample[] {
  const latest = new Map<string, KeptExample>();
  for (const { results } of latestFirst(kept)) {
    const { version, embedded } = results.certificate.server;
    const server = `${version.split(' ')[0] ?? ''}${embedded ? ', embedded' : ''}`;
    for (const result of results.examples ?? []) {
      const place = JSON.stringify([result.name, embedded || server]);
      if (!latest.has(place)) latest.set(place, { server, result });
    }
  }
  return [...latest.values()].sort((one, other) =>
    one.result.name.localeCompare(other.result.name),
  );
}

/** Scenarios and examples that no file would hold any more, if that of the name held these results. */
export function lostBy(
  kept: readonly KeptResults[],
  name: string,
  results: Pick<BenchmarkResults, 'cases' | 'examples'>,
): readonly string[] {
  const before = kept.filter((one) => one.name === name).flatMap((one) => measuredIn(one.results));
  const others = kept.filter((one) => one.name !== name).flatMap((one) => measuredIn(one.results));
  const after = new Set([...others, ...measuredIn(results)]);
  return [...new Set(before)].filter((each) => !after.has(each));
}

function measuredIn({
  cases,
  examples = [],
}: Pick<BenchmarkResults, 'cases' | 'examples'>): readonly string[] {
  return [...cases.map(({ scenario }) => scenario), ...examples.map(({ name }) => name)];
}

/** Nobody sees more than these in a plot; with 10,000 files they would be a megabyte. */
const TIMELINE_MAX = 200;

/**
 * What is kept of a results file: every run, but the timeline of one run of each case, since the
 * timelines are nine tenths of the bytes.
 */
export function slimmed(results: BenchmarkResults): BenchmarkResults {
  const cases = results.cases.map((one) => {
    const shown = one.runs.findIndex((run) => !run.warmUp);
    const runs = one.runs.map((run, place) => {
      const drawn = place === shown && run.timeline.length <= TIMELINE_MAX;
      return drawn ? run : { ...run, timeline: [] };
    });
    return { ...one, runs };
  });
  return { ...results, cases };
}
