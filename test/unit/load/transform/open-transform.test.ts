import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { openTransform } from '../../../../src/load/transform/open-transform.ts';
import type { TransformSource } from '../../../../src/source/source-file.ts';
import { temporaryFolder } from '../../source/temporary-files.ts';

const folder = temporaryFolder();
const calls = globalThis as unknown as { setUps: unknown[]; waits: Promise<unknown> | null };
let modules = 0;

beforeEach(() => {
  calls.setUps = [];
  calls.waits = null;
});

/** A transform whose set-ups are counted. */
function source(setUp: string, options: Record<string, unknown> = {}): TransformSource {
  const module = join(folder, `module-${++modules}.mjs`);
  writeFileSync(
    module,
    `export default {
      columns: ['a'],
      async setUp(options) { globalThis.setUps.push(options); ${setUp} },
      transform: (rows) => rows,
    }`,
  );
  return { module, options, columns: { a: null }, version: null };
}

const { signal } = new AbortController();

test('it is set up once for the same options, however many ask at once', async () => {
  const own = source('return { model: options.model }', { model: 'm1' });
  const opened = await Promise.all([openTransform(own, signal), openTransform(own, signal)]);
  expect(opened.map(({ state }) => state)).toEqual([{ model: 'm1' }, { model: 'm1' }]);
  expect(opened[0].state).toBe(opened[1].state);
  const other = await openTransform({ ...own, options: { model: 'm2' } }, signal);
  expect(other.state).toEqual({ model: 'm2' });
  await openTransform(own, signal);
  expect(calls.setUps).toEqual([{ model: 'm1' }, { model: 'm2' }]);
});

test('a set-up that fails is told, and tried again by who comes next', async () => {
  const own = source(`if (globalThis.setUps.length < 2) throw new Error('no model'); return 1;`);
  await expect(openTransform(own, signal)).rejects.toMatchObject({
    code: 'ETL_TRANSFORM',
    message: expect.stringContaining('setUp of the transform failed: Error: no model.') as string,
  });
  await expect(openTransform(own, signal)).resolves.toMatchObject({ state: 1 });
});

test('an abort does not wait for a set-up, which others may still get', async () => {
  let done = (): void => undefined;
  calls.waits = new Promise<void>((resolve) => (done = resolve));
  const own = source('await globalThis.waits; return 1;');
  const stop = new AbortController();
  const aborted = openTransform(own, stop.signal);
  const other = openTransform(own, signal);
  stop.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  done();
  await expect(other).resolves.toMatchObject({ state: 1 });
  expect(calls.setUps).toHaveLength(1);
});
