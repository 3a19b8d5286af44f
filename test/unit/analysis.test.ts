import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  casesOf,
  examplesOf,
  lostBy,
  readKeptResults,
  slimmed,
  type KeptResults,
} from '../../tools/analysis/kept-results.ts';
import { readKeptTunings } from '../../tools/analysis/tuned-table.ts';
import { goalTable } from '../../tools/analysis/goal-tables.ts';
import { withResultTables } from '../../tools/analysis/result-tables.ts';

const kept = await readKeptResults();
const tunings = await readKeptTunings();
const text = readFileSync(new URL('../../PARALLEL_UPSERT_ANALYSIS.md', import.meta.url), 'utf8');

describe('PARALLEL_UPSERT_ANALYSIS.md', () => {
  test('holds the numbers of the kept results (npm run analysis renews them)', () => {
    expect(withResultTables(text, kept, tunings)).toBe(text);
  });

  test('would not pass with other numbers', () => {
    const altered = structuredClone(kept).map((one) => ({
      ...one,
      results: {
        ...one.results,
        cases: one.results.cases.map((each) => ({ ...each, rows: each.rows * 2 })),
      },
    }));
    expect(withResultTables(text, altered, tunings)).not.toBe(text);
    const retuned = structuredClone(tunings).map(({ name, recommendation }) => ({
      name: `other-${name}`,
      recommendation,
    }));
    expect(tunings.length).toBeGreaterThan(0);
    expect(withResultTables(text, kept, retuned)).not.toBe(text);
  });
});

describe('kept results', () => {
  test.each(kept.map((one) => [one.name, one.results] as const))(
    '%s: every run of the engine left the right table',
    (_, results) => {
      const own = results.cases.filter((one) => one.contender === 'etl');
      expect(own.length + (results.examples ?? []).length).toBeGreaterThan(0);
      expect(own.flatMap((one) => one.runs).every((run) => run.correct)).toBe(true);
    },
  );

  test('keep one timeline of each case', () => {
    const [first] = kept;
    expect(first).toBeDefined();
    const cases = first === undefined ? [] : slimmed(first.results).cases;
    for (const one of cases) {
      expect(one.runs.filter((run) => run.timeline.length > 0).length).toBeLessThan(2);
    }
  });
});

describe('results of the same scenario', () => {
  const certificate = { startedAt: '2026-01-02' };
  const one = (name: string, startedAt: string, contenders: readonly string[]): KeptResults =>
    ({
      name,
      results: {
        certificate: { ...certificate, startedAt },
        cases: contenders.map((contender) => ({ scenario: 'six', contender, digest: name })),
      },
    }) as unknown as KeptResults;
  const two = [one('old', '2026-01-01', ['etl', 'psql']), one('new', '2026-01-02', ['etl'])];
  const namesOf = (cases: readonly unknown[]) =>
    cases.map((each) => (each as { readonly digest: string }).digest);

  test('are those of the latest run that holds it', () => {
    expect(namesOf(casesOf(two))).toEqual(['new']);
  });

  test('or of the latest that holds what is asked for', () => {
    expect(namesOf(casesOf(two, ({ contender }) => contender === 'psql'))).toEqual(['old', 'old']);
  });

  test('and of the same example those of the latest run on each server', () => {
    const examples = (
      startedAt: string,
      server: { readonly version: string; readonly embedded: boolean },
      sizes: Record<string, string>,
    ): KeptResults => {
      const list = Object.entries(sizes).map(([example, size]) => ({ name: example, size }));
      const results = { certificate: { startedAt, server }, cases: [], examples: list };
      return { name: startedAt, results } as unknown as KeptResults;
    };
    const own = { version: '18.4', embedded: true };
    const kept = [
      examples('2025-12-31', { version: '18.3', embedded: true }, { lake: 'small' }),
      examples('2026-01-01', own, { lake: 'small', profiles: 'small' }),
      examples('2026-01-02', own, { lake: 'full' }),
      examples('2026-01-01', { version: '15.18 (Debian)', embedded: false }, { lake: 'full' }),
    ];
    expect(examplesOf(kept)).toEqual([
      { server: '18.4, embedded', result: { name: 'lake', size: 'full' } },
      { server: '15.18', result: { name: 'lake', size: 'full' } },
      { server: '18.4, embedded', result: { name: 'profiles', size: 'small' } },
    ]);
  });

  test('and the choice of auto is judged by the latest of them', () => {
    const old = structuredClone(kept).map(({ name, results }) => ({
      name,
      results: {
        ...results,
        certificate: { ...results.certificate, startedAt: '2000-01-01T00:00:00.000Z' },
        cases: results.cases.map((one) => ({ ...one, chosen: 'worse' })),
      },
    })) as unknown as KeptResults[];
    expect(goalTable(old)).toContain('auto (worse)');
    expect(goalTable([...old, ...kept])).not.toContain('auto (worse)');
  });

  test('are not lost where others take the name of their file', () => {
    const results = (scenarios: readonly string[]): KeptResults['results'] => {
      const cases = scenarios.map((scenario) => ({ scenario }));
      return { cases, examples: [] } as unknown as KeptResults['results'];
    };
    const kept = [
      { name: 'workers.json', results: results(['sixteen', 'sixteen', 'far']) },
      { name: 'others.json', results: results(['six']) },
    ];
    expect(lostBy(kept, 'workers.json', results(['sixteen']))).toEqual(['far']);
    expect(lostBy(kept, 'workers.json', results(['far', 'sixteen']))).toEqual([]);
    expect(lostBy(kept, 'new.json', results(['sixteen']))).toEqual([]);
  });
});
