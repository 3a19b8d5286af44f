import { execFileSync } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Report } from 'parallel-upsert';
import { defineExample, type EtlEnd, type Figure, type Scene } from '../support/example.ts';
import { isChanged, newPages, scrapeAgain, writeLake, type Lake } from './generate.ts';

const JOB = fileURLToPath(new URL('job.json', import.meta.url));

/**
 * Loads a lake of pages; loads it again as it is; scrapes it again (1 % of the pages changed, 1 % were
 * written again as they were, 1 % are new) and loads that; and at last reads all pages once more.
 */
export const example = defineExample<Lake>({
  name: 'data-lake',
  reported: {
    sentence: '2 to 3 pages a second; wanted 100, and 100,000 pages without a time-out.',
    rows: 'pages',
    msPerRow: 1_000 / 3,
    msPerRowBefore: null,
    msPerRowWanted: 10,
    rssPeakBytes: null,
  },
  sizes: {
    small: { seed: 1, pages: 2_000, pageBytes: 2_000 },
    full: { seed: 1, pages: 100_000, pageBytes: 20_000 },
  },
  run: async (scene, lake) => {
    const pages = join(scene.folder, 'pages');
    await copyFile(JOB, join(scene.folder, 'job.json'));
    scene.say(`writing ${lake.pages} pages`);
    writeLake(pages, lake);
    // Real pages lie on the disk for long; else the first load would wait for these to be written.
    execFileSync('sync');
    const first = await load(scene, 'first', { inserted: lake.pages });
    const again = await load(scene, 'again', {});
    scene.say('scraping again');
    scrapeAgain(pages, lake);
    const changed = Array.from({ length: lake.pages }, (_, page) => page).filter(isChanged).length;
    const added = newPages(lake);
    const next = await load(scene, 'next', { inserted: added, updated: changed });
    const all = lake.pages + added;
    const forced = await load(scene, 'forced', { unchanged: all }, ['--force']);
    return [
      ...figuresOf('first load', lake.pages, first, '2 to 3 per second'),
      ...figuresOf('nothing has changed', lake.pages, again),
      ...figuresOf('1 % changed, 1 % new', all, next),
      ...figuresOf('all read again, none changed', all, forced),
    ];
  },
});

interface Counts {
  readonly inserted?: number;
  readonly updated?: number;
  readonly unchanged?: number;
}

interface Load extends EtlEnd {
  readonly connectionsPeak: number;
}

async function load(
  scene: Scene,
  name: string,
  expected: Counts,
  more: readonly string[] = [],
): Promise<Load> {
  const path = join(scene.folder, `${name}.json`);
  scene.say(`loading: ${name}`);
  const end = await scene.etl([
    'run',
    '--config',
    'job.json',
    '--report',
    path,
    '--quiet',
    ...more,
  ]);
  const report = JSON.parse(await readFile(path, 'utf8')) as Report;
  const { inserted, updated, unchanged, superseded, rejected } = report.loads[0]?.totals ?? {};
  const got = JSON.stringify({ inserted, updated, unchanged, superseded, rejected });
  const none = { inserted: 0, updated: 0, unchanged: 0, superseded: 0, rejected: 0 };
  if (got !== JSON.stringify({ ...none, ...expected })) throw new Error(`${name}: ${got}`);
  return { ...end, connectionsPeak: report.resources.connectionsPeak };
}

function figuresOf(
  what: string,
  pages: number,
  { wallMs, cpuMs, rssPeakBytes, connectionsPeak }: Load,
  reported?: string,
): Figure[] {
  const perSecond = { what: `${what}: pages`, value: pages / (wallMs / 1_000), unit: 'per second' };
  const load = { rows: pages, wallMs, cpuMs, rssPeakBytes, connectionsPeak };
  return [
    reported === undefined ? perSecond : { ...perSecond, reported, load },
    { what: `${what}: wall time`, value: wallMs / 1_000, unit: 's' },
    { what: `${what}: CPU of the client`, value: cpuMs / 1_000, unit: 's' },
    { what: `${what}: memory of the client`, value: rssPeakBytes / 2 ** 20, unit: 'MiB' },
  ];
}
