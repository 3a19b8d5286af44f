import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Report } from 'parallel-upsert';
import { defineExample, type EtlEnd, type Figure, type Scene } from '../support/example.ts';
import { allAtOnce, type Crowd } from './all-at-once.ts';
import { expectedOf, rowsOf, writeUploads, type Uploads } from './generate.ts';
import { readModel } from './model.ts';
import { createTables, totalsOf } from './tables.ts';

const JOB = fileURLToPath(new URL('job.json', import.meta.url));
const MODEL = new URL('model.json', import.meta.url);

/** Rows were rejected, and are in the reject files. */
const WITH_REJECTS = 3;

/**
 * Loads uploads: companies are found or created, rows are scored and inserted, what is known already is
 * skipped; then the same rows once more under other names, and nothing changes. Before that, many users
 * send an upload each at the same moment, and then many tiny ones.
 */
export const example = defineExample<Size>({
  name: 'company-predictions',
  reported: {
    sentence: '3 to 6 s for each row; wanted 10 to 50 ms.',
    rows: 'rows',
    msPerRow: 3_000,
    msPerRowBefore: null,
    msPerRowWanted: 10,
    rssPeakBytes: null,
  },
  sizes: {
    small: {
      uploads: { seed: 1, files: 5, rowsPerFile: 1_000, companies: 199 },
      crowd: { users: 20, uploads: { seed: 2, files: 20, rowsPerFile: 100, companies: 199 } },
      tiny: { users: 20, uploads: { seed: 3, files: 60, rowsPerFile: 5, companies: 199 } },
    },
    full: {
      uploads: { seed: 1, files: 10, rowsPerFile: 100_000, companies: 4_999 },
      crowd: { users: 500, uploads: { seed: 2, files: 500, rowsPerFile: 1_000, companies: 4_999 } },
      tiny: { users: 500, uploads: { seed: 3, files: 10_000, rowsPerFile: 5, companies: 4_999 } },
    },
  },
  run: async (scene, { uploads, crowd, tiny }) => [
    ...(await allAtOnce(scene, JOB, crowd)),
    ...(await allAtOnce(scene, JOB, tiny)),
    ...(await loadTwice(scene, uploads)),
  ],
});

interface Size {
  readonly uploads: Uploads;
  /** One upload each. */
  readonly crowd: Crowd;
  /** Many small uploads each. */
  readonly tiny: Crowd;
}

async function loadTwice(scene: Scene, uploads: Uploads): Promise<Figure[]> {
  await createTables(scene.databaseUrl);
  const rows = rowsOf(uploads);
  const expected = expectedOf(uploads);
  scene.say(`writing ${rows} rows`);
  writeUploads(join(scene.folder, 'first'), uploads);
  const { rejected } = expected;
  const first = await load(scene, 'first', { rowsRead: rows, inserted: expected.rows, rejected });
  await rename(join(scene.folder, 'first'), join(scene.folder, 'again'));
  const again = await load(scene, 'again', { rowsRead: rows, inserted: 0, rejected });
  const {
    rows: stored,
    companies,
    ...sums
  } = await totalsOf(scene.databaseUrl, await readModel(MODEL));
  const got = JSON.stringify({ stored, companies, ...sums });
  const wanted = JSON.stringify({
    ...{ stored: expected.rows, companies: uploads.companies },
    ...{ currentRatios: expected.currentRatios, misspelt: 0, misjudged: 0 },
  });
  if (got !== wanted) throw new Error(`the tables hold ${got} instead of ${wanted}`);
  return [
    ...figuresOf('scored and inserted', rows, first, '3,000 to 6,000 ms'),
    ...figuresOf('scored and skipped', rows, again),
    { what: 'companies created', value: companies, unit: '' },
  ];
}

interface Counts {
  readonly rowsRead: number;
  readonly inserted: number;
  readonly rejected: number;
}

interface Load extends EtlEnd {
  readonly connectionsPeak: number;
}

async function load(scene: Scene, folder: string, expected: Counts): Promise<Load> {
  scene.say(`loading: ${folder}`);
  const report = join(scene.folder, `${folder}.json`);
  const words = ['run', `${folder}/*.csv`, '--config', JOB, '--report', report, '--quiet'];
  const end = await scene.etl([...words, '--rejects', `${folder}-rejects`], {
    exitCode: WITH_REJECTS,
  });
  const { loads, resources } = JSON.parse(await readFile(report, 'utf8')) as Report;
  const { rowsRead, inserted, rejected } = loads[0]?.totals ?? {};
  const got = JSON.stringify({ rowsRead, inserted, rejected });
  const wanted = JSON.stringify(expected);
  if (got !== wanted) throw new Error(`${folder}: counted ${got} instead of ${wanted}`);
  return { ...end, connectionsPeak: resources.connectionsPeak };
}

function figuresOf(
  what: string,
  rows: number,
  { wallMs, cpuMs, rssPeakBytes, connectionsPeak }: Load,
  reported?: string,
): Figure[] {
  const load = { rows, wallMs, cpuMs, rssPeakBytes, connectionsPeak };
  const perRow = { what: `${what}: wall time per row`, value: wallMs / rows, unit: 'ms' };
  return [
    reported === undefined ? perRow : { ...perRow, reported, load },
    { what: `${what}: rows`, value: rows / (wallMs / 1_000), unit: 'per second' },
    { what: `${what}: CPU of the client`, value: cpuMs / 1_000, unit: 's' },
    { what: `${what}: memory of the client`, value: rssPeakBytes / 2 ** 20, unit: 'MiB' },
  ];
}
