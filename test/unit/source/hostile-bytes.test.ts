import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostileCsv, hostileParquet, type HostileFile } from '../../support/hostile-bytes.ts';
import { openHostileReads, type HostileReads } from '../../support/hostile-read.ts';
import { checkProperty } from '../../support/property.ts';

/**
 * Broken bytes end as rows or as an error with a code: no crash, no hang, no memory without bound.
 * What is loaded of them is compared in the integration test of the same name.
 */
const file = 'test/unit/source/hostile-bytes.test.ts';
const mebibyte = 1024 * 1024;
let reads: HostileReads;
beforeAll(async () => {
  reads = await openHostileReads();
});
afterAll(() => reads.close());

test.each([
  ['CSV', hostileCsv],
  ['Parquet', hostileParquet],
] as const)('%s', async (_, make: (seed: number) => HostileFile) => {
  const outcomes = new Map<string, number>();
  await checkProperty(
    file,
    fc.asyncProperty(fc.noShrink(fc.noBias(fc.nat())), async (seed) => {
      const answer = await reads.read(make(seed));
      if (answer.kind === 'broken') throw new Error(answer.stack);
      // Node itself takes some 100 MiB, and files of 10 KB were never seen to take 100 more.
      expect(answer.peakBytes).toBeLessThan(512 * mebibyte);
      const outcome = answer.kind === 'read' ? 'read' : answer.code;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }),
    300,
  );
  // Both ways are tried, or the generator has lost its bite.
  if (process.env['ETL_PROPERTY_RUNS'] !== undefined) return;
  expect(outcomes.get('read') ?? 0).toBeGreaterThan(10);
  expect(outcomes.size).toBeGreaterThan(2);
});
