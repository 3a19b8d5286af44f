import { expect, test } from 'vitest';
import { defineJob, type JobInput } from '../../../src/job/define-job.ts';

type Load = JobInput['loads'][number];

const usual = { table: 'public.orders', files: ['*.csv'] };
const lookup = { column: 'symbol', table: 'companies', match: 'symbol', into: 'company_id' };

/** One job of each kind, and with whatever a load may ask for. */
const KINDS: readonly [string, Partial<Load>][] = [
  ['files with a header', {}],
  ['a dialect', { csv: { delimiter: ';', quote: null, header: false, skipLines: 2 } }],
  ['JSON', { json: { records: '/releases', columns: { id: '/id', all: '' } } }],
  ['documents', { documents: { path: '{id}_{level}.html' } }],
  [
    'documents with columns',
    {
      documents: {
        path: '{id}.html',
        encoding: 'latin1',
        columns: { html: 'content', site: { constant: null }, at: 'loaded' },
      },
    },
  ],
  ['a transform', { transform: 'score.ts' }],
  ['a transform with options', { transform: { module: 'score.ts', options: { model: 'a' } } }],
  ['a lookup', { lookups: [lookup] }],
  [
    'a lookup that creates',
    { lookups: [{ ...lookup, insertMissing: true, fold: 'upper', set: { name: 'company' } }] },
  ],
  ['a lookup that finds or not', { lookups: [{ ...lookup, required: false }] }],
  [
    'several targets',
    { targets: [{ table: 'names', key: ['name'], onConflict: 'ignore', where: 'name <> $$a$$' }] },
  ],
  [
    'documents into several targets, with a lookup',
    { documents: { path: '{symbol}_{id}.html' }, targets: [{ table: 'pages' }], lookups: [lookup] },
  ],
  ['indexes', { indexes: [{ columns: ['a', 'lower(b)'], where: 'a > 0' }] }],
  ['the newest', { onConflict: 'newest', versionColumn: 'version', key: ['id'] }],
  ['append', { onConflict: 'append' }],
  ['column policies', { insertOnly: ['created_at'], compare: ['content'] }],
];

test.each(KINDS)('a resolved job of %s is a job, and the same one', (_, load) => {
  const job = defineJob({ loads: [{ ...usual, ...load }] }, '/jobs');
  expect(defineJob(job, '/jobs')).toEqual(job);
  expect(defineJob(JSON.parse(JSON.stringify(job)) as JobInput, '/elsewhere')).toEqual(job);
});

test('so it is with all of its settings', () => {
  const settings = {
    concurrency: 3,
    threads: 'never',
    onError: 'quarantine',
    maxErrors: '5%',
    rejects: 'bad',
    keepSuperseded: 'lost',
    session: { work_mem: '64MB', jit: false },
  } as const;
  const job = defineJob({ databaseUrl: 'postgres://a@b/c', settings, loads: [usual] }, '/jobs');
  expect(defineJob(job, '/elsewhere')).toEqual(job);
});
