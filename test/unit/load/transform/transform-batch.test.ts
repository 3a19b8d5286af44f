import { describe, expect, it } from 'vitest';
import {
  transformBatch,
  type TransformRun,
} from '../../../../src/load/transform/transform-batch.ts';
import type { Transform } from '../../../../src/source/transform/define-transform.ts';

const COLUMNS: TransformRun['columns'] = [
  { name: 'id', place: 0, given: false },
  { name: 'name', place: 1, given: true },
  { name: 'score', place: null, given: true },
];

function runOf(transform: Transform['transform'], more: Partial<TransformRun> = {}): TransformRun {
  const { signal } = new AbortController();
  const module = '/jobs/score.js';
  const own = { module, transform: { columns: ['name', 'score'], transform }, state: 10 };
  return { ...own, columns: COLUMNS, signal, stops: false, ...more };
}

const ROWS = [
  ['1', 'a'],
  ['2', null],
  ['3', 'c'],
];

describe('transformBatch', () => {
  it('keeps what the transform does not give, and spells what it gives', async () => {
    const given: unknown[] = [
      { score: 1.5, name: undefined },
      { name: true, score: 12n, id: '2' },
      { name: null, score: new Date(0) },
    ];
    const run = runOf(() => given as never);
    await expect(transformBatch(run, ROWS)).resolves.toEqual([
      ['1', 'a', '1.5'],
      ['2', 'true', '12'],
      ['3', null, '1970-01-01T00:00:00.000Z'],
    ]);
  });

  it('hands over rows of its own, the state, and a signal', async () => {
    const run = runOf((rows, state, { signal }) => {
      expect(rows[1]).toEqual({ id: '2', name: null });
      for (const row of rows) row['id'] = null;
      return rows.map(() => ({ score: signal.aborted ? 0 : Number(state) }));
    });
    const made = await transformBatch(run, ROWS);
    expect(made).toEqual(ROWS.map(([id, name]) => [id, name, '10']));
  });

  it('tells which rows it rejects, and why', async () => {
    const run = runOf((rows, _, { reject }) =>
      rows.map((row) => (row['id'] === '2' ? reject('too small') : { score: 1 })),
    );
    const [, second, third] = await transformBatch(run, ROWS);
    expect(second).toEqual({ reason: 'too small.', column: null });
    expect(third).toEqual(['3', 'c', '1']);
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'The transform gave nothing for the column.'],
    ['an object', {}, 'The transform gave an object, and no text, for the column.'],
    ['an invalid date', new Date('x'), 'The transform gave an invalid date for the column.'],
    ['a function', () => 1, 'The transform gave a function for the column.'],
  ])('takes a row with %s in a column that it adds for a bad one', async (_, score, reason) => {
    const run = runOf((rows) => rows.map(() => ({ score: score as never })));
    const [first] = await transformBatch(run, ROWS);
    expect(first).toEqual({ reason, column: 'score' });
  });
});

describe('a batch that throws', () => {
  const failing = (bad: ReadonlySet<string>) => {
    const calls: number[] = [];
    const transform: Transform['transform'] = async (rows) => {
      calls.push(rows.length);
      await Promise.resolve();
      if (rows.some((row) => bad.has(row['id'] ?? ''))) throw new TypeError('no ratio');
      return rows.map(() => ({ score: 0 }));
    };
    return { calls, transform };
  };
  const rows = Array.from({ length: 1_000 }, (_, index) => [String(index), 'x']);
  const reason = 'The transform failed: TypeError: no ratio.';

  it('is halved down to its bad rows', async () => {
    const { calls, transform } = failing(new Set(['17', '900']));
    const made = await transformBatch(runOf(transform), rows);
    expect(made).toHaveLength(1_000);
    expect(made.flatMap((one, index) => ('reason' in one ? [[index, one.reason]] : []))).toEqual([
      [17, reason],
      [900, reason],
    ]);
    // One call, and two for each of the ten halvings on the way to each of them.
    expect(calls.length).toBeLessThanOrEqual(1 + 2 * 2 * 10);
  });

  it('is looked at up to the first of them where one is enough', async () => {
    const { calls, transform } = failing(new Set(rows.map(([id]) => id ?? '')));
    const made = await transformBatch(runOf(transform, { stops: true }), rows);
    expect(made).toEqual([{ reason, column: null }]);
    expect(calls).toHaveLength(11);
  });

  it('is not halved once the run is aborted', async () => {
    const stop = new AbortController();
    const run = runOf(
      () => {
        stop.abort(new Error('enough'));
        throw new Error('late');
      },
      { signal: stop.signal },
    );
    await expect(transformBatch(run, rows)).rejects.toThrow('enough');
  });

  it('does not keep an aborted run waiting', async () => {
    const stop = new AbortController();
    const run = runOf(() => new Promise(() => undefined), { signal: stop.signal });
    const made = transformBatch(run, rows);
    stop.abort(new Error('enough'));
    await expect(made).rejects.toThrow('enough');
  });
});

describe('a transform that does not keep to its word', () => {
  it.each<[string, unknown, string]>([
    ['rows are no array', { length: 3 }, 'it gave no array of rows'],
    ['a row is missing', [{}, {}], 'it gave 2 rows for 3'],
    ['a row is left out', [null, null, null], 'it left a row out'],
    ['a row is no object', ['a', 'b', 'c'], 'it gave a string for a row'],
    ['a column is not declared', [{ sore: 1 }, {}, {}], 'it gave a column "sore"'],
    ['another column is changed', [{ id: '9', score: 1 }, {}, {}], 'it changed the column "id"'],
  ])('fails where %s', async (_, given, what) => {
    const run = runOf(() => given as never);
    await expect(transformBatch(run, ROWS)).rejects.toMatchObject({
      code: 'ETL_TRANSFORM',
      record: { facts: { file: 'score.js' } },
      message: expect.stringContaining(what) as string,
    });
  });
});
