import { expect, test } from 'vitest';
import {
  releaseAt,
  type Publication,
  type Release,
} from '../../examples/ocds-releases/generate.ts';
import { example } from '../../examples/ocds-releases/run.ts';
import { runSmall } from '../support/example-scene.ts';

/** The last good release of each id, in the order of the pages. */
function released(publication: Publication): Map<string, Release> {
  const last = new Map<string, Release>();
  for (let place = 0; place < publication.pages * publication.releasesPerPage; place++) {
    const release = releaseAt(publication, place);
    const good = release.id !== undefined && typeof release.tender.value.amount === 'number';
    if (good) last.set(release.id, release);
  }
  return last;
}

test('ocds-releases: pages of an API and files leave the last good release of each id', async () => {
  await runSmall(example, async ({ db, figures }) => {
    const { pages } = example.sizes.small;
    const wanted = released({ seed: 1, pages, releasesPerPage: 100 });
    for (const table of ['releases', 'releases_from_api']) {
      const rows = await db.query<{ id: string; release: Release; amount: number; tag: string[] }>(
        `select id, release, tender_amount::float8 as amount, tag from ${table} order by id`,
      );
      expect(rows.map(({ id }) => id)).toEqual([...wanted.keys()].sort());
      for (const { id, release, amount, tag } of rows) {
        expect(release).toEqual(wanted.get(id));
        expect([amount, tag]).toEqual([release.tender.value.amount, release.tag]);
      }
    }
    const bad = figures.find(({ what }) => what.includes('bad'));
    expect(bad?.value).toBe(2);
  });
});
