import { describe, expect, test } from 'vitest';
import { jobSchema } from '../../../src/job/schema.ts';
import { planLoads } from '../../../src/plan/plan.ts';
import { fakeContext, fakeCsv } from './fake-context.ts';
import { column, request, table } from './fixtures.ts';

/** The plan's notices of dates, for files of columns (id, day) with these days. */
async function notices(
  files: readonly (readonly (string | null)[])[],
  { sqlType = 'date', order = 'MDY', sampled = true } = {},
): Promise<readonly string[]> {
  const columns = [column('id', 'int4'), column('day', sqlType)];
  const world = fakeContext({
    tables: [table({ columns })],
    files: files.map((days, file) =>
      fakeCsv(
        `${file}.csv`,
        ['id', 'day'],
        days.map((day, row) => [`${file * 100 + row}`, day]),
      ),
    ),
    dateOrder: order,
  });
  const settings = { conflictDetection: sampled };
  const plan = await planLoads(jobSchema.parse({ loads: [request({})], settings }), world);
  return (plan.loads[0]?.notices ?? []).filter((notice) => notice.includes('dates such as'));
}

describe('dates that may mean two days', () => {
  test('are told with how the server reads them, and how to change it', async () => {
    const [notice] = await notices([[null, '2026-01-02', '03.04.2025']]);
    expect(notice).toContain('Column "day" has dates such as 03.04.2025');
    expect(notice).toContain('month, day, year');
    expect(notice).toContain(`alter role current_user set datestyle = 'ISO, DMY'`);
  });

  test('where the day comes first, the other order is offered', async () => {
    const [notice] = await notices([['3/4/25 10:00']], { sqlType: 'timestamptz', order: 'DMY' });
    expect(notice).toContain('day, month, year');
    expect(notice).toContain(`'ISO, MDY'`);
  });

  test('are told once for a column, in whichever of the first files they are', async () => {
    const found = await notices([['2026-01-02'], ['03-04-2025'], ['05-06-2025']]);
    expect(found).toEqual([expect.stringContaining('such as 03-04-2025')]);
  });

  test.each([['2026-03-04'], ['13.04.2025'], ['04.04.2025'], ['1.2.3.4'], ['today'], ['']])(
    'are not those like %j',
    async (value) => {
      expect(await notices([[value]])).toEqual([]);
    },
  );

  test('do not count in a column of text, nor where nothing is sampled', async () => {
    expect(await notices([['03.04.2025']], { sqlType: 'text' })).toEqual([]);
    expect(await notices([['03.04.2025']], { sampled: false })).toEqual([]);
  });
});
