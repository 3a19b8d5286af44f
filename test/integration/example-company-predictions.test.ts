import { expect, test } from 'vitest';
import { example } from '../../examples/company-predictions/run.ts';
import { runSmall } from '../support/example-scene.ts';

test('5,000 rows are scored, their companies created, and what comes again is skipped', async () => {
  await runSmall(example, async ({ db, figures }) => {
    // Of each ten rows one is said again, and five of 5,000 are bad.
    const [totals] = await db.query(
      `select count(*)::int as rows, count(distinct company_id)::int as companies,
              min(default_probability) > 0 and max(default_probability) < 1 as probable
         from predictions`,
    );
    expect(totals).toEqual({ rows: 4_495, companies: 199, probable: true });
    const grades = await db.query(
      `select grade, min(default_probability) as least, max(default_probability) as most
         from predictions group by 1 order by 1`,
    );
    const bounds = [0, 0.05, 0.15, 0.4, 1];
    expect(grades.map(({ grade }) => grade)).toEqual(['A', 'B', 'C', 'D']);
    for (const [place, { least, most }] of grades.entries()) {
      expect(Number(least)).toBeGreaterThanOrEqual(bounds[place] ?? 1);
      expect(Number(most)).toBeLessThan(bounds[place + 1] ?? 0);
    }
    const names = figures.map(({ what }) => what);
    expect(names).toContain('scored and inserted: wall time per row');
    expect(names).toContain('20 uploads of 20 users: the last answer');
    expect(names).toContain('60 uploads of 20 users: the last answer');
  });
});
