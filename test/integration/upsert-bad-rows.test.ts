import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { QUARANTINE, useUpserts } from '../support/upsert-scene.ts';

/** Rows in memory of which some are bad. */
const { run, table } = useUpserts();

describe('a bad row', () => {
  test('stops the call before anything is loaded, and is named by its index', async () => {
    const rows = [{ id: 1 }, { id: 2, n: 1 }, { id: 3, n: 'many' }];
    const refused = await run(rows).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'ETL_ROW_INVALID',
      record: { facts: { index: 2, column: 'n', value: 'many' } },
      message: expect.stringMatching(/^rows\[2\], column "n": /) as string,
    });
    expect(JSON.stringify(refused)).not.toContain('.jsonl');
    await expect(run([{ id: 1 }, { id: 2, n: () => 1 }])).rejects.toMatchObject({
      record: { facts: { index: 1, column: 'n' } },
    });
    await expect(run([{ id: 1 }, { id: 2, n: 100 }])).rejects.toMatchObject({
      code: 'ETL_ROW_INVALID',
    });
    expect(await table()).toEqual([]);
  });

  test('is quarantined, and the others are saved', async () => {
    const cyclic: Record<string, unknown> = { id: 4 };
    cyclic['name'] = cyclic;
    const done = await run(
      [
        { id: 0, name: 'good', n: 0 },
        { id: 1, name: 'no number', n: 'many' },
        { id: null, name: 'no key', n: 1 },
        { id: 3, name: 'line\nbreak, "quoted"', n: 3 },
        cyclic,
        { id: 5, name: 'refused by the table', n: 100 },
        { id: 6, name: 'nul \u0000', n: 6 },
        'no object' as unknown as object,
        { id: 8, name: 'good', n: 8 },
      ],
      QUARANTINE,
    );
    expect(done.counts).toEqual({
      ...{ rowsRead: 9, inserted: 3, updated: 0, unchanged: 0, superseded: 0, rejected: 6 },
    });
    expect(done.rejected.map(({ index, error }) => [index, error.facts.column])).toEqual([
      [1, 'n'],
      [2, 'id'],
      [4, 'name'],
      [5, 'n'],
      [6, 'name'],
      [7, undefined],
    ]);
    for (const { index, error } of done.rejected) {
      expect(error).toMatchObject({ code: 'ETL_ROW_INVALID', facts: { index } });
      expect(error.sentence).toMatch(/\.$/);
      expect(error.sentence).not.toMatch(/etl_|jsonl|\d+\.json/);
    }
    expect(done.report?.status).toBe('rejected-rows');
    expect(done.report?.loads[0]?.files[0]?.rejects).toBeNull();
    expect((await table()).map(({ id }) => id)).toEqual(['0', '3', '8']);
  });

  test('may be every row', async () => {
    const done = await run(
      [
        { id: 1, n: 'x' },
        { id: 2, n: 'y' },
      ],
      QUARANTINE,
    );
    expect([done.counts.rejected, done.rejected.length]).toEqual([2, 2]);
    const unspoken = await run([{ f: () => 1 }], QUARANTINE);
    expect([unspoken.counts.rejected, unspoken.report]).toEqual([1, null]);
    expect(await table()).toEqual([]);
  });

  test('is told up to a limit, and counted beyond', async () => {
    const count = LIMITS.rejectedRowsToldMax + 5;
    const rows = Array.from({ length: count }, (_, id) => ({ id, n: () => id }));
    const done = await run(rows, QUARANTINE);
    expect([done.counts.rejected, done.rejected.length]).toEqual([count, count - 5]);
    expect(done.rejected.at(-1)?.index).toBe(count - 6);
  });

  test('may be one too many', async () => {
    const settings = { onError: 'quarantine', maxErrors: 1 } as const;
    const rows = [
      { id: 1, n: 'x' },
      { id: 2, n: 'y' },
      { id: 3, n: 3 },
    ];
    await expect(run(rows, { settings })).rejects.toMatchObject({ code: 'ETL_LIMIT' });
    expect(await table()).toEqual([]);
  });
});
