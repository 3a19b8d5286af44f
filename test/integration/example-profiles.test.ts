import { expect, test } from 'vitest';
import {
  personOf,
  personsAmong,
  profileAt,
  scrapedAt,
  usernameOf,
} from '../../examples/profiles/generate.ts';
import { example } from '../../examples/profiles/run.ts';
import { runSmall } from '../support/example-scene.ts';

const PROFILES = 2_000;
const SCRAPE = { seed: 1, profiles: PROFILES };

/** Two thousand profiles in four posts, and once more from a file. */
test('each profile is kept, and each username once, with the time it was first seen', async () => {
  await runSmall(example, async ({ db, figures }) => {
    const raw = await db.query(
      `select username, posts::int, scraped_at, count(*)::int as times from raw_scraped_profiles
        group by 1, 2, 3 order by scraped_at`,
    );
    const expected = Array.from({ length: PROFILES }, (_, place) => {
      const { username, posts, scraped_at } = profileAt(SCRAPE, place);
      return { username, posts, scraped_at: new Date(scraped_at), times: 2 };
    });
    expect(raw).toEqual(expected);

    const first = new Map<string, string>();
    const names = await db.query<{ username: string; first_seen_at: Date }>(
      'select * from global_usernames',
    );
    for (let place = PROFILES - 1; place >= 0; place--) {
      first.set(usernameOf(personOf(place)), scrapedAt(place));
    }
    expect(names).toHaveLength(personsAmong(PROFILES));
    expect(first.size).toBe(personsAmong(PROFILES));
    // Two clients post at the same time, so a celebrity may have been seen first by either of them.
    for (const { username, first_seen_at } of names) {
      const seen = raw.filter((row) => row['username'] === username);
      expect(seen.map((row) => (row['scraped_at'] as Date).getTime())).toContain(
        first_seen_at.getTime(),
      );
    }
    const indexes = await db.query(
      `select indexdef from pg_indexes where tablename = 'raw_scraped_profiles' order by 1`,
    );
    expect(indexes).toHaveLength(2);
    expect(figures.filter(({ reported }) => reported !== undefined)).toHaveLength(2);
  });
}, 120_000);
