import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { openUpsert, type Report, type UpsertTarget } from 'parallel-upsert';
import { defineExample, type Figure, type Scene } from '../support/example.ts';
import { startApi } from './api.ts';
import { expectedOf, packageAt, type Publication } from './generate.ts';
import { loadPages } from './load-pages.ts';
import { totalsOf, type TableTotals } from './table.ts';

interface Size {
  readonly seed: number;
  readonly pages: number;
}

const JOB = new URL('job.json', import.meta.url);
const RELEASES_PER_PAGE = 100;
const BYTES_PER_MB = 1_000_000;

export const example = defineExample<Size>({
  name: 'ocds-releases',
  reported: {
    sentence: 'OCDS releases from an API, page by page: from 326 to 7 ms for each release.',
    rows: 'releases',
    msPerRow: 7,
    msPerRowBefore: 326,
    msPerRowWanted: null,
    rssPeakBytes: null,
  },
  sizes: { small: { seed: 1, pages: 10 }, full: { seed: 1, pages: 1_000 } },
  run: async (scene, { seed, pages }) => {
    const publication = { seed, pages, releasesPerPage: RELEASES_PER_PAGE };
    const fromApi = await loadFromApi(scene, publication);
    const fromFiles = await loadFromFiles(scene, publication);
    const [api, files] = await Promise.all([
      totalsOf(scene.databaseUrl, 'releases_from_api'),
      totalsOf(scene.databaseUrl, 'releases'),
    ]);
    expectTotals(publication, api);
    if (api.hash !== files.hash) throw new Error('pages and files left different tables');
    return [...fromApi, ...fromFiles];
  },
});

/** What the job says, for rows in memory: the API gives the records, and no files. */
async function targetOf(databaseUrl: string): Promise<UpsertTarget> {
  const { settings, loads } = JSON.parse(await readFile(JOB, 'utf8')) as {
    settings: UpsertTarget['settings'];
    loads: [Omit<UpsertTarget, 'json'> & { json: { columns: Record<string, string> } }];
  };
  const { key, types, json } = loads[0];
  return {
    table: 'releases_from_api',
    databaseUrl,
    ...{ key, types, json: { columns: json.columns } },
    ...(settings === undefined ? {} : { settings }),
  };
}

/** Of the bad releases, that many are said. */
const BAD_SAID_MAX = 5;

/** Page by page, twice: the second time every page is known. */
async function loadFromApi(scene: Scene, publication: Publication): Promise<Figure[]> {
  const api = await startApi(publication);
  const loader = await openUpsert(await targetOf(scene.databaseUrl), { spoolFolder: scene.folder });
  const releases = publication.pages * publication.releasesPerPage;
  try {
    const sums = { inserted: 0, updated: 0, unchanged: 0, superseded: 0, rejected: 0 };
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    let bad = 0;
    const say = (line: string): void => {
      if (++bad <= BAD_SAID_MAX) scene.say(line);
    };
    const options = { loader, say, signal: scene.signal };
    for await (const { counts, rejected } of loadPages(api.url, options)) {
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += counts[name];
      if (rejected.length !== counts.rejected) throw new Error('a bad release is not named');
    }
    const wallMs = performance.now() - startedAt;
    if (bad > BAD_SAID_MAX) scene.say(`${bad - BAD_SAID_MAX} more bad releases`);
    const used = process.cpuUsage(cpu);
    const { amounts, ...expected } = expectedOf(publication);
    if (JSON.stringify(sums) !== JSON.stringify(expected)) {
      throw new Error(`counted ${JSON.stringify(sums)} instead of ${JSON.stringify(expected)}`);
    }
    scene.say(`${releases} releases are saved, their tenders are worth ${amounts}`);
    let known = 0;
    const againAt = performance.now();
    for await (const { skipped } of loadPages(api.url, options)) known += Number(skipped);
    if (known !== publication.pages) throw new Error(`${known} of the pages are known`);
    return [
      {
        what: `${publication.pages} pages of an API: a release`,
        ...perRelease(wallMs, releases),
        reported: '326 ms, then 7 ms',
        // The generator and the API share its process.
        load: {
          ...{ rows: releases, wallMs, cpuMs: null, connectionsPeak: null },
          rssPeakBytes: process.resourceUsage().maxRSS * 1_024,
        },
      },
      {
        what: 'the same, CPU of the client, generator and API',
        ...perRelease((used.user + used.system) / 1_000, releases),
      },
      { what: 'releases that were bad, and left out', value: sums.rejected, unit: 'releases' },
      {
        what: 'the pages once more: a release',
        ...perRelease(performance.now() - againAt, releases),
      },
    ];
  } finally {
    await loader.close();
    await api.close();
  }
}

/** The same packages as files, some of them compressed. */
async function loadFromFiles(scene: Scene, publication: Publication): Promise<Figure[]> {
  const folder = join(scene.folder, 'packages');
  await writePackages(publication, folder);
  await copyFile(JOB, join(folder, 'job.json'));
  const words = ['run', '--config', 'job.json', '--json'];
  // 3: all is loaded but for the rejected rows.
  const rejected = expectedOf(publication).rejected;
  const end = await scene.etl(words, { cwd: folder, exitCode: rejected === 0 ? 0 : 3 });
  const { loads, resources } = JSON.parse(end.stdout) as Report;
  const [load] = loads;
  const { wallMs, cpuMs, rssPeakBytes } = end;
  const { connectionsPeak } = resources;
  if (load?.totals.rejected !== rejected) throw new Error('other releases are bad in the files');
  const releases = publication.pages * publication.releasesPerPage;
  return [
    {
      what: `${publication.pages} files, half of them gzip, by etl run: a release`,
      ...perRelease(wallMs, releases),
      load: { rows: releases, wallMs, cpuMs, rssPeakBytes, connectionsPeak },
    },
    { what: 'the same, CPU of the client', ...perRelease(cpuMs, releases) },
    { what: 'its peak memory', value: rssPeakBytes / BYTES_PER_MB, unit: 'MB' },
  ];
}

/** Natural order of their names is the order of the pages; plain ones and compressed ones take turns. */
async function writePackages(publication: Publication, folder: string): Promise<void> {
  await mkdir(folder);
  const uriOf = (page: number): string => `https://api.example.org/releases?page=${page}`;
  for (let page = 1; page <= publication.pages; page++) {
    const text = JSON.stringify(packageAt(publication, page, uriOf));
    const name = join(folder, `package-${page}.json`);
    if (page % 2 === 1) await writeFile(name, text);
    else await writeFile(`${name}.gz`, await compress(text));
  }
}

const compress = promisify<string, Buffer>(gzip);

function expectTotals(publication: Publication, { rows, amounts }: TableTotals): void {
  const expected = expectedOf(publication);
  if (rows === expected.inserted && amounts === expected.amounts) return;
  throw new Error(`${rows} releases worth ${amounts}, not ${JSON.stringify(expected)}`);
}

function perRelease(ms: number, releases: number): Pick<Figure, 'value' | 'unit'> {
  return { value: ms / releases, unit: 'ms' };
}
