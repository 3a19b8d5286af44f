import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { documentsSchema } from '../../../src/job/document-schema.ts';
import { jobJsonSchema } from '../../../src/job/job-json-schema.ts';
import { jobOptions, schemaNodeAt } from '../../../src/job/job-options.ts';
import { buildJob } from '../../../src/job/load-job.ts';
import {
  csvSchema,
  jobSchema,
  jsonSchema,
  loadSchema,
  settingsSchema,
} from '../../../src/job/schema.ts';

const config = new URL('../../../config/', import.meta.url);

describe('jobOptions', () => {
  test('lists every setting of the schema, once, and nothing else', () => {
    const listed = jobOptions.map((option) => option.path.join('.'));
    const said = (path: string, shape: object) => Object.keys(shape).map((name) => path + name);
    const expected = [
      ...said('', jobSchema.shape),
      ...said('settings.', settingsSchema.shape),
      ...said('loads.*.', loadSchema.shape),
      ...said('loads.*.csv.', csvSchema.shape),
      ...said('loads.*.json.', jsonSchema.shape),
      ...said('loads.*.documents.', documentsSchema.shape),
    ].filter(
      (path) =>
        !/^(?:\$schema|settings|loads|loads\.\*\.(?:csv|json|documents)|.*description)$/.test(path),
    );
    expect([...listed].sort()).toEqual([...expected].sort());
  });

  test('describes each of them', () => {
    for (const option of jobOptions) {
      expect(option.description, option.path.join('.')).toMatch(/\.$/);
      expect(option.allowed).not.toBe('');
    }
  });

  test('gives a variable to what is of the whole job, and only to that', () => {
    const variables = jobOptions.flatMap((option) => option.variable ?? []);
    expect(variables).toHaveLength(1 + Object.keys(settingsSchema.shape).length);
    expect(variables).toContain('DATABASE_URL');
    expect(variables).toContain('ETL_LOCK_TIMEOUT_MS');
  });

  test('knows the default that validation will take', () => {
    const job: unknown = jobSchema.parse({ loads: [{ files: ['a'], table: 't' }] });
    for (const { path, defaultValue } of jobOptions) {
      if (defaultValue === undefined) continue;
      const value = path.reduce<unknown>(
        (parent, step) => (parent as Record<string, unknown>)[step === '*' ? '0' : step],
        job,
      );
      expect(value, path.join('.')).toEqual(defaultValue);
    }
  });

  test('finds the rule of any path', () => {
    expect(schemaNodeAt(['loads', 3, 'csv', 'trim'])?.type).toBe('boolean');
    expect(schemaNodeAt(['loads', 0, 'columns', 'constructor'])?.anyOf).toHaveLength(2);
    expect(schemaNodeAt(['constructor'])).toBeNull();
  });
});

describe('config/', () => {
  test('job.schema.json is what the code says (else: npm run schemas)', async () => {
    const written: unknown = JSON.parse(await readFile(new URL('job.schema.json', config), 'utf8'));
    expect(written).toEqual(jobJsonSchema);
  });

  test.each([
    [
      'prod.json',
      {
        concurrency: 8,
        chunkSize: 100_000,
        subBatchSize: 10_000,
        conflictDetection: true,
        deterministic: true,
        performanceMonitoring: true,
      },
    ],
    [
      'dev.json',
      {
        concurrency: 2,
        chunkSize: 10_000,
        subBatchSize: 1_000,
        conflictDetection: false,
        deterministic: false,
        performanceMonitoring: false,
      },
    ],
  ])('%s is a valid job with its six settings', async (name, settings) => {
    const text = await readFile(new URL(name, config), 'utf8');
    expect((JSON.parse(text) as { settings: unknown }).settings).toEqual(settings);
    const folder = '/project/config';
    const job = buildJob({ file: { name, folder, text }, env: {}, overrides: [], cwd: '/' });
    expect(job.settings).toMatchObject(settings);
    expect(job.loads[0]).toMatchObject({
      files: ['/project/examples/orders/*.csv'],
      table: 'public.orders',
      key: ['order_id'],
    });
  });
});
