import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { applyRecommendation } from '../benchmarks/tune/apply-recommendation.ts';
import { sureSettings } from '../benchmarks/tune/recommendation.ts';
import { tune } from '../benchmarks/tune/tune.ts';
import { startEmbedded } from '../src/embedded/embedded.ts';
import { plan, run, silentLog } from '../src/index.ts';
import { loadJob } from '../src/job/load-job.ts';
import { TUNED_FOLDER } from './analysis/tuned-table.ts';

/**
 * Tunes the two configurations that ship, each for a server of its own, with generated orders; applies
 * what came out to a copy, loads with it, and keeps the outcome for PARALLEL_UPSERT_ANALYSIS.md:
 *
 *     npx tsx tools/tune-configs.ts --minutes 3
 *
 * The files in `config/` stay as they are: they are for every server, the outcome is for these two.
 */
const SERVERS = {
  dev: { shared_buffers: '32MB', max_connections: '20' },
  prod: { shared_buffers: '2GB', max_connections: '200', max_prepared_transactions: '32' },
} as const;

/** One file a day; a tenth of its rows are changes of orders of the days before. */
const [DAYS, ORDERS_A_DAY] = [8, 30_000];

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '3' } } });
const minutesMax = Number(values.minutes);

for (const name of ['dev', 'prod'] as const) {
  const folder = await mkdtemp(join(tmpdir(), `etl-tune-config-${name}-`));
  // The server of root's runs as nobody, who must pass through it to its own folder.
  await chmod(folder, 0o711);
  const server = await startEmbedded({
    ...{ home: join(folder, 'postgres'), mode: 'attached', temporary: true },
    settings: SERVERS[name],
  });
  try {
    await tuneOne(name, folder, server.url);
  } finally {
    await server.release();
    await rm(folder, { recursive: true, force: true });
  }
}

async function tuneOne(name: string, folder: string, databaseUrl: string): Promise<void> {
  const configPath = join(folder, 'config', `${name}.json`);
  await mkdir(join(folder, 'config'));
  const shipped = fileURLToPath(new URL(`../config/${name}.json`, import.meta.url));
  await copyFile(shipped, configPath);
  await writeOrders(join(folder, 'examples/orders'));
  const read = () => loadJob({ overrides: [], env: {}, configPath, cwd: folder });
  const recommendation = await tune(await read(), {
    ...{ databaseUrl, log: silentLog, minutesMax },
    onProgress: ({ sentence }) => {
      console.log(`${name}: ${sentence}`);
    },
  });
  const settings = sureSettings(recommendation);
  const { diff } = await applyRecommendation(configPath, { settings });
  console.log(diff === '' ? `${name}: nothing to change` : diff);
  const options = { databaseUrl, log: silentLog };
  const report = await run(await plan(await read(), options), options).report;
  const rowsRead = report.loads[0]?.totals.rowsRead;
  if (rowsRead !== DAYS * ORDERS_A_DAY) throw new Error(`${name}: ${rowsRead ?? 0} rows were read`);
  await mkdir(TUNED_FOLDER, { recursive: true });
  const kept = `${JSON.stringify(recommendation, null, 1)}\n`;
  await writeFile(new URL(`${name}.json`, TUNED_FOLDER), kept);
  console.log(`${name}: loaded with ${await readFile(configPath, 'utf8')}`);
}

async function writeOrders(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const states = ['open', 'paid', 'shipped', 'cancelled'];
  for (let day = 0; day < DAYS; day++) {
    const date = `2026-03-${String(day + 1).padStart(2, '0')}`;
    const lines = Array.from({ length: ORDERS_A_DAY }, (_, row) => {
      const id = day > 0 && row % 10 === 9 ? row * day : day * ORDERS_A_DAY + row;
      const total = ((id * 7_919 + day) % 50_000) / 100;
      return `${id},Customer ${id % 5_000},${states[(id + day) % 4] ?? ''},${total},${date} 09:12:00\n`;
    });
    const text = `order_id,customer,status,total,updated_at\n${lines.join('')}`;
    await writeFile(join(folder, `${date}.csv`), text);
  }
}
