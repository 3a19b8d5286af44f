import { copyFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plan, Report } from 'parallel-upsert';
import { defineExample, type EtlEnd, type Figure, type Scene } from '../support/example.ts';
import { upsertFiles } from './as-library.ts';
import {
  expectedTotals,
  FILES,
  HEADERS,
  OVERLAPS,
  writeCustomers,
  type Customers,
  type Overlap,
} from './generate.ts';
import { openTables, type Tables, type TableTotals } from './table.ts';

interface Size {
  readonly seed: number;
  readonly rowsPerFile: number;
  /** Suite of `etl benchmark`, or null: it takes minutes. */
  readonly benchmark: 'standard' | null;
}

const JOB = fileURLToPath(new URL('job.json', import.meta.url));
const STRATEGIES = ['full-parallel', 'hybrid', 'sequential', 'partitioned'] as const;
const BYTES_PER_MB = 1_000_000;

export const example = defineExample<Size>({
  name: 'parallel-upsert',
  reported: {
    sentence: 'Three CSV and three Parquet files by a conflict-aware processor: 2.1 s, 50 MB.',
    rows: 'rows',
    // Six files of about 2,000 rows.
    msPerRow: 2_100 / 12_000,
    msPerRowBefore: null,
    msPerRowWanted: null,
    rssPeakBytes: 50 * BYTES_PER_MB,
  },
  sizes: {
    small: { seed: 1, rowsPerFile: 2_000, benchmark: null },
    full: { seed: 1, rowsPerFile: 2_000_000, benchmark: 'standard' },
  },
  run: async (scene, size) => {
    const tables = await openTables(scene.databaseUrl);
    try {
      return await runAll(scene, size, tables);
    } finally {
      await tables.end();
    }
  },
});

async function runAll(scene: Scene, size: Size, tables: Tables): Promise<Figure[]> {
  const { seed, rowsPerFile } = size;
  const figures: Figure[] = [];
  for (const overlap of OVERLAPS) {
    const customers = { seed, rowsPerFile, overlap };
    const folder = join(scene.folder, overlap);
    await writeCustomers(customers, folder, scene.signal);
    // The files of a job are beside it.
    await copyFile(JOB, join(folder, 'job.json'));
    figures.push(...(await loadChosen(scene, customers, tables, rowsPerFile)));
  }
  const some = { seed, rowsPerFile, overlap: 'some' } as const;
  figures.push(...(await loadCoupled(scene, some, tables)));
  figures.push(...(await loadByEach(scene, some, tables)));
  figures.push(...(await loadFromCode(scene, some, tables)));
  if (size.benchmark !== null) figures.push(...(await benchmark(scene, size.benchmark)));
  return figures;
}

/** The six files by the strategy that the plan chooses; with the plan and the report, for people. */
async function loadChosen(
  scene: Scene,
  customers: Customers,
  tables: Tables,
  rowsPerFile: number,
): Promise<Figure[]> {
  const { overlap } = customers;
  const table = `customers_${overlap}`;
  // Where neighbours alone share keys, the table holds as many other customers already.
  if (overlap === 'some') await tables.create(table, { others: rowsPerFile * FILES.length });
  const strategy = await chosen(scene, overlap, table);
  const { stdout } = await etl(scene, 'plan', overlap, table);
  scene.say(`the plan with ${WORDS[overlap]}:\n${stdout}`);
  const end = await etl(scene, 'run', overlap, table, '--report', 'report.json');
  scene.say(`the report:\n${end.stdout}`);
  expectTotals(table, customers, await tables.totals(table));
  const what = `6 files of ${rowsPerFile} rows, ${WORDS[overlap]}: ${strategy}`;
  const figures = timeAndMemory(what, end, overlap === 'some');
  if (overlap !== 'some') return figures;
  const written = await readFile(join(scene.folder, overlap, 'report.json'), 'utf8');
  const { connectionsPeak } = (JSON.parse(written) as Report).resources;
  const { wallMs, cpuMs, rssPeakBytes } = end;
  const rows = rowsPerFile * FILES.length;
  const load = { rows, wallMs, cpuMs, rssPeakBytes, connectionsPeak };
  return figures.map((figure, place) => (place === 0 ? { ...figure, load } : figure));
}

const WORDS: Readonly<Record<Overlap, string>> = {
  none: 'no overlap',
  some: 'some overlap',
  all: 'all keys the same',
};

/** Another unique index couples the rows of different keys, so that the order of merges could matter. */
async function loadCoupled(scene: Scene, customers: Customers, tables: Tables): Promise<Figure[]> {
  const table = 'customers_coupled';
  await tables.create(table, { unique: 'email' });
  const strategy = await chosen(scene, customers.overlap, table);
  if (strategy !== 'sequential') throw new Error(`a coupled table was planned as ${strategy}`);
  const end = await etl(scene, 'run', customers.overlap, table);
  expectTotals(table, customers, await tables.totals(table));
  return timeAndMemory('some overlap, and e-mail addresses are unique: sequential', end, false);
}

/** Each strategy must leave the same table, whatever it was made for. */
async function loadByEach(scene: Scene, customers: Customers, tables: Tables): Promise<Figure[]> {
  const figures: Figure[] = [];
  const hashes = new Set<string>();
  for (const strategy of STRATEGIES) {
    const table = `customers_${strategy.replace('-', '_')}`;
    const end = await etl(scene, 'run', customers.overlap, table, '--strategy', strategy);
    const totals = await tables.totals(table);
    expectTotals(table, customers, totals);
    hashes.add(totals.hash);
    figures.push({ what: `some overlap, as asked for: ${strategy}`, ...seconds(end.wallMs) });
  }
  if (hashes.size !== 1) throw new Error('two strategies left different tables');
  return figures;
}

/** The same call as a function: table, key columns, headers. */
async function loadFromCode(scene: Scene, customers: Customers, tables: Tables): Promise<Figure[]> {
  const table = 'customers_from_code';
  const startedAt = performance.now();
  const report = await upsertFiles({
    databaseUrl: scene.databaseUrl,
    files: FILES.map((name) => join(scene.folder, customers.overlap, name)),
    table,
    keyColumns: ['id'],
    headers: HEADERS,
    onProgress: (rows) => scene.say(`${rows} rows are read`),
  });
  const wallMs = performance.now() - startedAt;
  const [load] = report.loads;
  if (load?.totals.rowsRead !== customers.rowsPerFile * FILES.length) {
    throw new Error('the library did not read all rows');
  }
  expectTotals(table, customers, await tables.totals(table));
  return [{ what: 'some overlap, as a library call', ...seconds(wallMs) }];
}

/** Six files, half of whose keys are in all of them, by all strategies; results and an HTML page. */
async function benchmark(scene: Scene, suite: string): Promise<Figure[]> {
  const words = ['--suite', suite, '--scenario', 'three-and-three', '--runs', '1'];
  const end = await scene.etl(['benchmark', ...words, '--output', 'benchmark']);
  const page = await stat(join(scene.folder, 'benchmark', 'index.html'));
  scene.say(end.stdout);
  return [
    { what: 'etl benchmark three-and-three', ...seconds(end.wallMs) },
    { what: 'its HTML page', value: page.size / BYTES_PER_MB, unit: 'MB' },
  ];
}

function etl(
  scene: Scene,
  command: 'run' | 'plan',
  overlap: Overlap,
  table: string,
  ...more: readonly string[]
): Promise<EtlEnd> {
  const cwd = join(scene.folder, overlap);
  return scene.etl([command, '--config', 'job.json', '--table', table, ...more], { cwd });
}

async function chosen(scene: Scene, overlap: Overlap, table: string): Promise<string> {
  const { stdout } = await etl(scene, 'plan', overlap, table, '--json');
  const [load] = (JSON.parse(stdout) as Plan).loads;
  return load?.strategy ?? 'none';
}

function timeAndMemory(what: string, end: EtlEnd, compares: boolean): Figure[] {
  const reported = (figure: string) => (compares ? { reported: figure } : {});
  const memory = end.rssPeakBytes / BYTES_PER_MB;
  return [
    { what, ...seconds(end.wallMs), ...reported('2.1 s') },
    { what: '  CPU of etl itself', ...seconds(end.cpuMs) },
    { what: '  memory at most', value: memory, unit: 'MB', ...reported('50 MB') },
  ];
}

function seconds(ms: number): Pick<Figure, 'value' | 'unit'> {
  return { value: ms / 1_000, unit: 's' };
}

function expectTotals(table: string, customers: Customers, totals: TableTotals): void {
  const expected = expectedTotals(customers);
  const { rows, revisions, cents } = totals;
  if (rows === expected.rows && revisions === expected.revisions && cents === expected.cents)
    return;
  const found = JSON.stringify({ rows, revisions, cents });
  throw new Error(`${table} holds ${found} and not ${JSON.stringify(expected)}`);
}
