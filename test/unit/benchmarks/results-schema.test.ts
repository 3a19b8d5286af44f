import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { BenchmarkResults } from '../../../benchmarks/results.ts';
import { resultsSchema } from '../../../benchmarks/results-schema.ts';
import { benchmarkCase, benchmarkResults, fullResults } from '../../support/benchmark-results.ts';
import type { Flat, ValueOf } from '../../support/schema-value.ts';

const validator = z.fromJSONSchema(
  JSON.parse(JSON.stringify(resultsSchema)) as z.core.JSONSchema.JSONSchema,
);
const faultOf = (value: unknown): unknown => validator.safeParse(value).error?.issues[0];

const KEPT = new URL('../../../benchmarks/results/', import.meta.url);

describe('the schema of the results of a benchmark', () => {
  test('is the type of the results, both ways', () => {
    expectTypeOf<ValueOf<typeof resultsSchema>>().toEqualTypeOf<Flat<BenchmarkResults>>();
    // An agreement of two `never`s would be none.
    expectTypeOf<
      ValueOf<typeof resultsSchema>['cases'][number]['runs'][number]['wallMs']
    >().toEqualTypeOf<number>();
  });

  test('is what config/benchmark.schema.json holds', async () => {
    const path = new URL('../../../config/benchmark.schema.json', import.meta.url);
    const file: unknown = JSON.parse(await readFile(path, 'utf8'));
    expect(file, 'run: npm run schemas').toEqual(JSON.parse(JSON.stringify(resultsSchema)));
  });

  test('accepts results with and without runs, and all that are kept', async () => {
    expect(faultOf(benchmarkResults())).toBeUndefined();
    expect(faultOf(fullResults())).toBeUndefined();
    const names = (await readdir(KEPT)).filter((name) => name.endsWith('.json'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const value: unknown = JSON.parse(await readFile(new URL(name, KEPT), 'utf8'));
      expect([name, faultOf(value)]).toEqual([name, undefined]);
    }
  });

  test.each<[string, object]>([
    ['an unknown property', { ...benchmarkResults(), extra: 1 }],
    ['another version', { ...benchmarkResults(), version: 2 }],
    ['no certificate', { ...benchmarkResults(), certificate: undefined }],
    ['a negative count', benchmarkResults({ cases: [benchmarkCase({ rows: -1 })] })],
    [
      'a strategy that there is not',
      { ...benchmarkResults(), cases: [{ ...benchmarkCase(), strategy: 'fast' }] },
    ],
  ])('refuses %s', (_, value) => {
    expect(faultOf(JSON.parse(JSON.stringify(value)))).toBeDefined();
  });
});
