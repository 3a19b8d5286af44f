import { expect, test } from 'vitest';
import { transformRequest } from '../../../src/job/transform-request.ts';
import { build, flag, problemsOf } from './built-job.ts';

const load = { files: ['a.csv'], table: 't' };

function transformOf(transform: unknown, overrides: Parameters<typeof build>[0]['overrides'] = []) {
  const own = build({ file: { loads: [{ ...load, transform }] }, overrides });
  return transformRequest(own.loads[0]?.transform ?? null);
}

test('a module is relative to the job file, and one of a flag to the working directory', () => {
  expect(transformOf('./score.ts')).toEqual({ module: '/jobs/score.ts', options: {} });
  expect(transformOf('/lib/score.ts')).toEqual({ module: '/lib/score.ts', options: {} });
  const byFlag = [flag('loads.*.transform', 'score.js', '--transform')];
  expect(transformOf(null, byFlag)).toEqual({ module: '/home/me/score.js', options: {} });
});

test('it may have options, whatever they hold', () => {
  const options = { model: { weights: [1, 2] }, strict: true };
  expect(transformOf({ module: 'score.ts', options })).toEqual({
    module: '/jobs/score.ts',
    options,
  });
  expect(transformOf({ module: 'score.ts' })).toMatchObject({ options: {} });
  expect(transformOf(null)).toBeNull();
});

test.each<[string, unknown]>([
  ['a number', 1],
  ['an empty text', ''],
  ['an object without a module', { options: {} }],
  ['an object with more', { module: 'a.ts', path: 'b' }],
])('%s is refused', (_, transform) => {
  expect(problemsOf({ file: { loads: [{ ...load, transform }] } })).toEqual([
    expect.stringContaining('loads[0].transform') as string,
  ]);
});
