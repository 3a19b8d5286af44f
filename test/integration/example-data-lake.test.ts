import { describe, expect, it } from 'vitest';
import {
  isChanged,
  keyOf,
  newPages,
  pageText,
  scrapedAt,
} from '../../examples/data-lake/generate.ts';
import { example } from '../../examples/data-lake/run.ts';
import { runSmall } from '../support/example-scene.ts';

describe('the example data-lake', () => {
  it('leaves each page with its last content, and the times that go with it', async () => {
    await runSmall(example, async ({ db, figures }) => {
      const lake = example.sizes.small;
      const rows = await db.query(
        `select boxrec_id::int as id, competition_level as level, content,
                extract(epoch from scraped_at)::float8 * 1000 as scraped,
                created_at = updated_at as never, created_at as created, updated_at as updated
           from scraped_pages order by boxrec_id, competition_level`,
      );
      const pages = Array.from({ length: lake.pages + newPages(lake) }, (_, page) => page);
      const expected = pages.map((page) => {
        const version = page < lake.pages && isChanged(page) ? 1 : 0;
        const { boxrecId: id, level } = keyOf(page);
        const content = pageText(lake, page, version);
        return { id, level, content, scraped: scrapedAt(page, version), never: version === 0 };
      });
      expect(
        rows.map(({ id, level, content, scraped, never }) => ({
          id,
          level,
          content,
          scraped,
          never,
        })),
      ).toEqual(expected);
      // Two runs have written: the first, and the one after the second scrape.
      const runs = new Set(
        rows.flatMap(({ created, updated }) => [String(created), String(updated)]),
      );
      expect(runs.size).toBe(2);
      expect(figures.map(({ unit }) => unit)).toContain('per second');
    });
  });
});
