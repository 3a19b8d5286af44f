import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPassed, writePassed } from '../../../../tools/check/passed-before.ts';

let within: string;
let kept: string;
beforeEach(async () => {
  within = await mkdtemp(join(tmpdir(), 'etl-passed-'));
  kept = join(within, 'check');
});
afterEach(() => rm(within, { recursive: true }));

test('what passed is read again, and is one file', async () => {
  expect(readPassed(kept, 'ground')).toEqual({});
  writePassed(kept, 'ground', { unit: ['a'], format: [] });
  writePassed(kept, 'ground', { unit: ['a', 'b'], format: ['c'] });
  expect(readPassed(kept, 'ground')).toEqual({ unit: ['a', 'b'], format: ['c'] });
  expect(await readdir(kept)).toEqual(['passed.json']);
});

test('on another ground nothing is known, and what steps kept beside it is gone', async () => {
  writePassed(kept, 'ground', { unit: ['a'] });
  await writeFile(join(kept, 'types.json'), '{}');
  expect(readPassed(kept, 'other')).toEqual({});
  expect(existsSync(kept)).toBe(false);
});

test('what cannot be read says nothing', async () => {
  writePassed(kept, 'ground', { unit: ['a'] });
  await writeFile(join(kept, 'passed.json'), '{ "ground": "gro');
  expect(readPassed(kept, 'ground')).toEqual({});
});
