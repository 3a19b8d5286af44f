import { readFile } from 'node:fs/promises';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { reportJson } from '../../../src/report/report-json.ts';
import { reportSchema } from '../../../src/report/report-schema.ts';
import type { WrittenReport } from '../../../src/run/report-types.ts';
import type { Flat, ValueOf } from '../../support/schema-value.ts';
import { fileReport, loadReport, noCounts, report, rowError } from './fixtures.ts';

const validator = z.fromJSONSchema(
  JSON.parse(JSON.stringify(reportSchema)) as z.core.JSONSchema.JSONSchema,
);
const accepts = (value: unknown): boolean => validator.safeParse(value).success;

const failed = report({
  status: 'failed',
  loads: [
    loadReport({
      strategy: 'partitioned',
      indexes: [
        {
          ...{ name: 'orders_at_idx', definition: 'btree (at)', unique: false },
          ...{ status: 'built', concurrently: true, ms: 12.5 },
        },
        {
          ...{ name: 'mine', definition: 'hash (at)', unique: false },
          ...{ status: 'existing', concurrently: null, ms: null },
        },
      ],
      files: [
        fileReport(0, { ...noCounts, rowsRead: 5 }),
        fileReport(1, { ...noCounts, status: 'failed', error: rowError }),
        fileReport(2, { ...noCounts, status: 'not-loaded', attempts: 0 }),
        fileReport(3, { ...noCounts, status: 'skipped', attempts: 0 }),
      ],
    }),
  ],
  error: { ...rowError, facts: { problems: ['a', 'b'], limit: 1.5 } },
});

describe('the schema of the report', () => {
  test('is the type of the report, both ways', () => {
    expectTypeOf<ValueOf<typeof reportSchema>>().toEqualTypeOf<Flat<WrittenReport>>();
    // An agreement of two `never`s would be none.
    expectTypeOf<
      ValueOf<typeof reportSchema>['loads'][number]['files'][number]['rowsRead']
    >().toEqualTypeOf<number | null>();
  });

  test('is what config/report.schema.json holds', async () => {
    const path = new URL('../../../config/report.schema.json', import.meta.url);
    const file: unknown = JSON.parse(await readFile(path, 'utf8'));
    expect(file, 'run: npx tsx tools/write-report-schema.ts').toEqual(reportSchema);
  });

  /** What only a load has that asks for it, or that has very many documents. */
  const OF_SOME_LOADS = ['unlisted', 'targets', 'lookups', 'indexes'];

  test('is strict: every object names all of its properties, and requires all but the facts', () => {
    const loose: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      if ('properties' in schema) {
        const { properties, required, additionalProperties } = schema as unknown as {
          readonly properties: object;
          readonly required: readonly string[];
          readonly additionalProperties: unknown;
        };
        const optional = path === '/properties/loads/items' ? OF_SOME_LOADS : [];
        const named = Object.keys(properties).filter((name) => !optional.includes(name));
        const same = [...required].sort().join() === named.sort().join();
        if (additionalProperties !== false) loose.push(`${path}: additional properties`);
        if (!same && !path.endsWith('/facts')) loose.push(`${path}: required`);
      }
      for (const [name, value] of Object.entries(schema)) visit(value, `${path}/${name}`);
    };
    visit(reportSchema, '');
    expect(loose).toEqual([]);
  });

  test.each([
    ['a run that loaded all', report()],
    ['a run that failed', failed],
    ['a run without a load', report({ loads: [], status: 'interrupted' })],
    ['a run that was refused', { ...report({ loads: [], status: 'failed' }), runId: null }],
  ])('accepts the JSON of %s', (_, value) => {
    expect(JSON.parse(reportJson(value))).toEqual(value);
    expect(validator.safeParse(JSON.parse(reportJson(value))).error).toBeUndefined();
  });

  test.each<[string, (value: Record<string, unknown>) => unknown]>([
    ['an unknown property', (value) => ({ ...value, extra: 1 })],
    ['an unknown status', (value) => ({ ...value, status: 'done' })],
    ['another version', (value) => ({ ...value, version: 2 })],
    [
      'a missing property',
      (value) => Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'runId')),
    ],
    ['a negative count', (value) => ({ ...value, loads: [loadReport({ concurrency: -1 })] })],
    ['a count in parts', (value) => ({ ...value, loads: [loadReport({ concurrency: 1.5 })] })],
    [
      'a total that is not known',
      (value) => ({ ...value, loads: [{ ...loadReport(), totals: noCounts }] }),
    ],
    ['an unknown error code', (value) => ({ ...value, error: { ...rowError, code: 'ETL_NO' } })],
    [
      'an unknown fact',
      (value) => ({ ...value, error: { ...rowError, facts: { colour: 'red' } } }),
    ],
  ])('refuses %s', (_, spoil) => {
    expect(accepts(spoil({ ...report() }))).toBe(false);
  });
});
