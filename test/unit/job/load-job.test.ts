import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildJob, loadJob } from '../../../src/job/load-job.ts';
import { build, cwd, flag, minimal, problemsOf } from './built-job.ts';

describe('precedence of settings', () => {
  const file = { ...minimal, settings: { concurrency: 3, chunkSize: 500 } };
  const env = { ETL_CONCURRENCY: '5', ETL_DETERMINISTIC: 'off' };
  const overrides = [flag('settings.concurrency', 7, '--concurrency')];

  test('flags, then environment, then file, then defaults', () => {
    expect(build({ file, env, overrides }).settings).toMatchObject({
      concurrency: 7,
      deterministic: false,
      chunkSize: 500,
      subBatchSize: 10_000,
    });
    expect(build({ file, env }).settings.concurrency).toBe(5);
    expect(build({ file }).settings.concurrency).toBe(3);
    expect(build({ file: minimal }).settings.concurrency).toBe('auto');
  });

  test('the database goes the same way', () => {
    const withUrl = { ...minimal, databaseUrl: 'postgres://file/db' };
    const fromEnv = { DATABASE_URL: 'postgres://env/db' };
    const fromFlag = [flag('databaseUrl', 'postgres://flag/db', '--database-url')];
    expect(build({ file: withUrl }).databaseUrl).toBe('postgres://file/db');
    expect(build({ file: withUrl, env: fromEnv }).databaseUrl).toBe('postgres://env/db');
    expect(build({ file: withUrl, env: fromEnv, overrides: fromFlag }).databaseUrl).toBe(
      'postgres://flag/db',
    );
  });

  test('a variable that is set to nothing is not set', () => {
    expect(build({ file: minimal, env: { ETL_CHUNK_SIZE: '' } }).settings.chunkSize).toBe(100_000);
  });

  test('variables of other programs are left alone, misspelt ones of ours are not', () => {
    const others = { ETL_EMBEDDED_DIR: '/x', ETL_HOME: '/y', ETL_LOG_LEVEL: 'debug', ETL_ENV: 'p' };
    expect(problemsOf({ file: minimal, env: others })).toEqual([]);
    expect(problemsOf({ file: minimal, env: { ETL_CONCURENCY: '2', ETL_CHUNKSIZE: '1' } })).toEqual(
      [
        'ETL_CONCURENCY (environment): there is no such setting. Did you mean "ETL_CONCURRENCY"?',
        'ETL_CHUNKSIZE (environment): there is no such setting. Did you mean "ETL_CHUNK_SIZE"?',
      ],
    );
  });

  test('a bad variable is named', () => {
    const bad = { ETL_CONCURRENCY: 'many', ETL_DETERMINISTIC: 'maybe', ETL_CHUNK_SIZE: '1.5' };
    expect(problemsOf({ file: minimal, env: bad })).toEqual([
      'settings.concurrency (ETL_CONCURRENCY): "many" is not allowed; it must be auto, or a whole number from 1 to 64.',
      'settings.chunkSize (ETL_CHUNK_SIZE): 1.5 is not allowed; it must be a whole number from 1 to 1,000,000,000.',
      'settings.deterministic (ETL_DETERMINISTIC): "maybe" is not allowed; it must be true or false.',
    ]);
  });
});

describe('loads and flags', () => {
  const two = {
    loads: [
      { files: ['o/*.csv'], table: 'orders', key: ['id'] },
      { files: ['c/*.csv'], table: 'customers' },
    ],
  };
  const sequential = flag('loads.*.strategy', 'sequential', '--strategy');

  test('flags alone make a job', () => {
    const job = build({
      overrides: [
        flag('loads.*.files', ['x.csv', '/abs/y.csv'], 'command line'),
        flag('loads.*.table', 't', '--table'),
        flag('loads.*.csv.delimiter', ';', '--csv-delimiter'),
      ],
    });
    expect(job.loads).toHaveLength(1);
    expect(job.loads[0]).toMatchObject({
      files: ['/home/me/x.csv', '/abs/y.csv'],
      table: 't',
      csv: { delimiter: ';', quote: '"' },
    });
  });

  test('flags override the single load of a file; files named beside it are of this folder', () => {
    const single = { loads: [{ files: ['x.csv'], table: 't', csv: { null: 'NA' } }] };
    const table = flag('loads.*.table', 'u', '--table');
    const files = flag('loads.*.files', ['mine.csv'], 'command line');
    expect(build({ file: single, overrides: [table, sequential] }).loads[0]).toMatchObject({
      files: ['/jobs/x.csv'],
      table: 'u',
      strategy: 'sequential',
      csv: { null: 'NA' },
    });
    expect(build({ file: single, overrides: [files] }).loads[0]?.files).toEqual([
      '/home/me/mine.csv',
    ]);
  });

  test('a job file may hold settings only', () => {
    const overrides = [
      flag('loads.*.files', ['a.csv'], 'command line'),
      flag('loads.*.table', 't', '--table'),
    ];
    expect(build({ file: { settings: { concurrency: 2 } }, overrides }).loads).toHaveLength(1);
  });

  test('of several loads, --table chooses the one that runs', () => {
    expect(build({ file: two }).loads.map((load) => load.table)).toEqual(['orders', 'customers']);
    const chosen = build({
      file: two,
      overrides: [flag('loads.*.table', 'customers', '--table'), sequential],
    });
    expect(chosen.loads).toHaveLength(1);
    expect(chosen.loads[0]).toMatchObject({ table: 'customers', strategy: 'sequential' });
  });

  test('of several loads, a flag that does not say which is refused', () => {
    expect(problemsOf({ file: two, overrides: [sequential] })).toEqual([
      '--strategy: the job file holds 2 loads; say with --table which one is meant (orders, customers).',
    ]);
    expect(
      problemsOf({ file: two, overrides: [flag('loads.*.table', 'customer', '--table')] }),
    ).toEqual([
      '--table: no load of the job file has the table "customer" (orders, customers). Did you mean "customers"?',
    ]);
    const twins = { loads: [two.loads[0], two.loads[0]] };
    expect(
      problemsOf({ file: twins, overrides: [flag('loads.*.table', 'orders', '--table')] }),
    ).toEqual(['--table: 2 loads of the job file have the table "orders".']);
  });

  test('settings of the whole job need no choice', () => {
    const overrides = [flag('settings.concurrency', 2, '--concurrency')];
    expect(build({ file: two, overrides }).settings.concurrency).toBe(2);
  });
});

describe('what a job holds', () => {
  test('paths are absolute, of the folder of the file, whose own brackets are no glob', () => {
    const files = ['x.csv', '../y/**/*.csv', '/abs/*.csv'];
    const text = JSON.stringify({ loads: [{ files, table: 't' }] });
    const job = buildJob({
      file: { name: 'j', folder: '/my [old] jobs', text },
      env: {},
      overrides: [],
      cwd,
    });
    expect(job.loads[0]?.files).toEqual(['/my [old] jobs/x.csv', '/y/**/*.csv', '/abs/*.csv']);
    const below = JSON.stringify({ loads: [{ files: ['*.csv'], table: 't' }] });
    expect(
      buildJob({
        file: { name: 'j', folder: '/my [old]', text: below },
        env: {},
        overrides: [],
        cwd,
      }).loads[0]?.files,
    ).toEqual(['/my \\[old\\]/*.csv']);
  });

  test('it is frozen, whole', () => {
    const job = build({ file: minimal });
    for (const part of [job, job.settings, job.loads, job.loads[0], job.loads[0]?.files]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('columns may be called as members of Object are', () => {
    const load = { ...minimal.loads[0], columns: { constructor: 'team', valueOf: null } };
    const columns = new Map(
      ['constructor', 'valueOf', 'toString'].map((name) => [
        name,
        build({ file: { loads: [load] } }).loads[0]?.columns[name],
      ]),
    );
    expect(columns.get('constructor')).toBe('team');
    expect(columns.get('valueOf')).toBeNull();
    expect(columns.get('toString')).toBeUndefined();
  });
});

describe('loadJob', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'load-job-'));
    await mkdir(join(folder, 'jobs'));
    await writeFile(join(folder, 'jobs', 'job.json'), JSON.stringify(minimal));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const request = (configPath: string) => ({ overrides: [], env: {}, configPath, cwd: folder });

  test('reads a file by its relative path', async () => {
    const job = await loadJob(request('jobs/job.json'));
    expect(job.loads[0]?.files).toEqual([join(folder, 'jobs', 'a.csv')]);
  });

  test.each([
    ['jobs/none.json', 'There is no such job file.'],
    ['jobs', 'The job file is a directory.'],
  ])('%s: %s', async (path, sentence) => {
    await expect(loadJob(request(path))).rejects.toMatchObject({
      record: { code: 'ETL_JOB_INVALID', sentence, facts: { file: path } },
    });
  });
});
