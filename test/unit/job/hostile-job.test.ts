import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { environmentOverrides } from '../../../src/job/environment.ts';
import { loadJob } from '../../../src/job/load-job.ts';
import { LIMITS } from '../../../src/limits.ts';
import { build, minimal, problemsOf } from './built-job.ts';

/** Job files, flags and variables that were made to break their reader. */
const load = '"loads":[{"files":["a"],"table":"t"}]';

function messageOf(file: string): string {
  try {
    build({ file });
  } catch (error) {
    if (error instanceof EtlError && error.code === 'ETL_JOB_INVALID') return error.message;
    throw error;
  }
  return 'accepted';
}

describe('names of the prototype', () => {
  test.each([
    ['at the root', `{"__proto__":{"polluted":1},${load}}`],
    ['spelt with an escape', `{"\\u005f_proto__":{"polluted":1},${load}}`],
    ['among columns', '{"loads":[{"files":["a"],"table":"t","columns":{"__proto__":"x"}}]}'],
    ['far below', `{"x":{"y":[{"__proto__":{"polluted":1}}]},${load}}`],
  ])('%s', (_, file) => {
    expect(messageOf(file)).toContain('the key "__proto__" is not allowed');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('constructor and prototype are unknown settings like any other', () => {
    const file = `{"settings":{"constructor":{"prototype":{"polluted":1}}},${load}}`;
    expect(messageOf(file)).toContain('settings.constructor (line 1): there is no such setting.');
    expect(messageOf(`{"prototype":1,${load}}`)).toContain('prototype (line 1): there is no such');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('in a variable or a flag, alone and among columns', () => {
    const problem = 'the name "__proto__" is not allowed.';
    const asked = environmentOverrides({ ETL_SESSION: '__proto__=on' });
    expect(problemsOf({ file: minimal, overrides: asked })).toEqual([`ETL_SESSION: ${problem}`]);
    const value: unknown = Object.fromEntries([['__proto__', 'x']]);
    const columns = { path: ['loads', '*', 'columns'], value, origin: '--columns' };
    expect(problemsOf({ file: minimal, overrides: [columns] })).toEqual([`--columns: ${problem}`]);
  });
});

describe('sizes', () => {
  test.each(['[', '{"a":', '[{"a":'])('ten thousand of %s end at the limit of depth', (opening) => {
    expect(messageOf(opening.repeat(10_000))).toContain(
      `a document of at most ${LIMITS.jobDepthMax} levels`,
    );
  });

  test('numbers that no setting has', () => {
    const settings =
      '{"concurrency":1e400,"chunkSize":99999999999999999999999,"subBatchSize":-0.5}';
    const problems = problemsOf({ file: `{"settings":${settings},${load}}` });
    expect(problems).toEqual([
      expect.stringContaining('settings.concurrency (line 1): Infinity is not allowed'),
      expect.stringContaining('settings.chunkSize (line 1): 1e+23 is not allowed'),
      expect.stringContaining('settings.subBatchSize (line 1): -0.5 is not allowed'),
    ]);
  });

  test('a hundred thousand unknown keys are counted, and the first hundred listed', () => {
    const keys = Array.from({ length: 100_000 }, (_, index) => `"k${index}":1`).join(',');
    const problems = problemsOf({ file: `{${keys},${load}}` });
    expect(problems).toHaveLength(LIMITS.jobProblemsMax + 1);
    expect(problems.at(-1)).toBe('and 99900 more');
  });

  test('a text of a megabyte is cut, not copied into the message; nor is a password in it', () => {
    const strategy = 'x'.repeat(1_000_000);
    const [long = ''] = problemsOf({ file: { loads: [{ ...minimal.loads[0], strategy }] } });
    expect(long.length).toBeLessThan(300);
    const databaseUrl = `mysql://me:s3cr3t${strategy}@db/app`;
    const [url = ''] = problemsOf({ file: { ...minimal, databaseUrl } });
    expect(url).toContain('mysql://me:***@');
    expect(url).not.toContain('s3cr3t');
  });

  test('a byte-order mark is passed over, once', () => {
    expect(build({ file: `\uFEFF${JSON.stringify(minimal)}` }).loads).toHaveLength(1);
    expect(messageOf(`\uFEFF\uFEFF${JSON.stringify(minimal)}`)).toContain('Not valid JSON');
  });

  test('a key that comes twice is refused, at any depth', () => {
    const file = '{"loads":[{"files":["a"],"table":"t","csv":{"quote":"a","quote":"b"}}]}';
    expect(messageOf(file)).toContain('loads[0].csv.quote (line 1): the key comes twice.');
  });
});

describe('what is no file', () => {
  const reading = async (configPath: string): Promise<string> => {
    const job = loadJob({ configPath, cwd: '/', env: {}, overrides: [] });
    return job.then(
      () => 'accepted',
      (error: unknown) => (error as EtlError).message,
    );
  };

  test('a device without end is read up to the limit', async () => {
    expect(await reading('/dev/zero')).toContain(`more than ${LIMITS.jobFileBytesMax} bytes`);
    expect(await reading('/dev/null')).toContain('but the file ends');
    expect(await reading('/')).toContain('The job file is a directory.');
  });

  test('a file above the limit is refused before it is parsed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'etl-job-'));
    const file = join(folder, 'large.json');
    await writeFile(file, Buffer.alloc(LIMITS.jobFileBytesMax + 1, ' '));
    expect(await reading(file)).toContain(`more than ${LIMITS.jobFileBytesMax} bytes`);
    await rm(folder, { recursive: true });
  });
});
