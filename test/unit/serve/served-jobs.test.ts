import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorRecordOf } from '../../../src/errors.ts';
import { readServedJobs, type ServedJob } from '../../../src/serve/served-jobs.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-jobs-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function jobsOf(config: unknown, name = 'jobs.json'): Promise<readonly ServedJob[]> {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  await writeFile(join(folder, name), text);
  return read(name);
}

const read = (configPath: string): Promise<readonly ServedJob[]> =>
  readServedJobs({ configPath, overrides: [], env: {}, cwd: folder });

async function problemsOf(jobs: Promise<unknown>): Promise<readonly string[]> {
  const error = await jobs.then(
    () => null,
    (refusal: unknown) => errorRecordOf(refusal),
  );
  expect(error?.code).toBe('ETL_JOB_INVALID');
  return error?.facts.problems ?? [];
}

describe('a file of jobs', () => {
  test('has loads by name, with what they share, and what each has of its own', async () => {
    const jobs = await jobsOf({
      databaseUrl: 'postgres://db/shop',
      settings: { onError: 'quarantine', timeZone: 'CET' },
      jobs: {
        orders: { table: 'app.orders', key: ['id'], settings: { timeZone: 'UTC' } },
        'raw-rows': { table: 'raw', onConflict: 'append', databaseUrl: 'postgres://db/raw' },
        whole: { loads: [{ table: 't', files: ['left-alone.csv'] }] },
      },
    });
    expect(jobs.map(({ name }) => name)).toEqual(['orders', 'raw-rows', 'whole']);
    const [orders, raw, whole] = jobs;
    expect(orders?.load).toMatchObject({ table: 'app.orders', key: ['id'], onConflict: 'update' });
    expect(orders?.job).toMatchObject({
      databaseUrl: 'postgres://db/shop',
      settings: { onError: 'quarantine', timeZone: 'UTC', rejects: join(folder, 'rejects') },
    });
    expect(raw?.job).toMatchObject({
      databaseUrl: 'postgres://db/raw',
      settings: { onError: 'quarantine', timeZone: 'CET' },
    });
    expect(whole?.load.table).toBe('t');
  });

  test('tells all its problems, with their places in the file', async () => {
    const text = `{
  "setings": {},
  "settings": { "onError": "skip" },
  "jobs": {
    "a": { "tabel": "t" },
    "b c": { "table": "t" },
    "d": { "loads": [{ "table": "t" }, { "table": "u" }] },
    "e": { "table": "t", "csv": { "delimiter": "" } },
    "f": 1
  }
}`;
    const problems = (await problemsOf(jobsOf(text))).join('\n');
    expect(problems).toContain('setings (line 2): is not known. Did you mean "settings"?');
    expect(problems).toContain('settings.onError (line 3): "skip" is not allowed');
    expect(problems.split('settings.onError')).toHaveLength(2);
    expect(problems).toContain('jobs.a.tabel (line 5): there is no such setting.');
    expect(problems).toContain('jobs.a.table (line 5): is missing');
    expect(problems).toContain('"b c" cannot be the name of a job');
    expect(problems).toContain('jobs.e.csv.delimiter (line 8)');
    expect(problems).toContain('jobs.f (line 9): must be an object with what a load has');
    expect(problems).not.toContain('loads[0].tabel');
  });

  test('refuses a job of several loads, and one of documents', async () => {
    const two = { loads: [{ table: 't' }, { table: 'u' }] };
    const pages = { table: 't', documents: { path: '{id}.html' } };
    const problems = await problemsOf(jobsOf({ jobs: { two, pages } }));
    expect(problems[0]).toContain('jobs.two.loads: a job that is served has one load, and not 2');
    expect(problems[1]).toContain('jobs.pages.documents: an upload is rows and no document');
  });

  test('that names no job is refused', async () => {
    expect(await problemsOf(jobsOf({ jobs: {} }))).toEqual([
      'jobs (line 1): must be an object that names at least one job.',
    ]);
    expect((await problemsOf(jobsOf({ jobs: [] })))[0]).toContain('must be an object');
  });

  test('names of its own prototype do no harm', async () => {
    const jobs = await jobsOf('{ "jobs": { "constructor": { "table": "t" } } }');
    expect(jobs.map(({ name }) => name)).toEqual(['constructor']);
    const [problem] = await problemsOf(jobsOf('{ "jobs": { "__proto__": { "table": "t" } } }'));
    expect(problem).toContain('__proto__');
  });
});

describe('a job file', () => {
  test('is a job named after it; the files that it names are not loaded', async () => {
    const job = { loads: [{ table: 't', files: ['*.csv'] }] };
    expect((await jobsOf(job, 'orders.json')).map(({ name }) => name)).toEqual(['orders']);
    expect(await problemsOf(jobsOf({ loads: [{ tabel: 't' }] }, 'orders.json'))).toContainEqual(
      expect.stringContaining('loads[0].tabel (line 1)'),
    );
  });

  test('of a folder is one of its jobs', async () => {
    await mkdir(join(folder, 'jobs'));
    await writeFile(join(folder, 'jobs/b.json'), '{ "loads": [{ "table": "t" }] }');
    await writeFile(join(folder, 'jobs/a.json'), '{ "loads": [{ "table": "u" }] }');
    await writeFile(join(folder, 'jobs/notes.txt'), 'none');
    expect((await read('jobs')).map(({ name }) => name)).toEqual(['a', 'b']);
    await writeFile(join(folder, 'jobs/c.json'), '{ "jobs": { "a": { "table": "v" } } }');
    expect(await problemsOf(read('jobs'))).toContainEqual('Two jobs have the name "a".');
  });

  test('that is not there is told so', async () => {
    await expect(read('none.json')).rejects.toThrow('There is no such job file');
    await mkdir(join(folder, 'empty'));
    expect(await problemsOf(read('empty'))).toEqual(['The folder has no job file (*.json).']);
  });
});
