import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startEmbedded, type EmbeddedServer } from '../../src/embedded/embedded.ts';
import { tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { createRandom } from '../../tools/simulation/random.ts';
import { oracleDigest } from '../support/batched-oracle.ts';
import { runCli, startCli } from '../support/cli-process.ts';
import {
  createTestDatabase,
  expectNoLeaks,
  openSessions,
  type TestDatabase,
  type TestSessions,
} from '../support/database.ts';
import { queryOnce, readyHome } from '../support/embedded-process.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';

/**
 * `etl` is ended by kill -9 at random moments, several times over one load, and then runs to its end:
 * the table is what the oracle makes of the files, and nothing is left behind.
 *
 * Half of the kills come at any time, half once the run has begun to write. ETL_KILLS is their number
 * over all loads, ETL_KILLS_SEED draws their moments.
 */
const KILLS = Number(process.env['ETL_KILLS'] ?? 28);
const SEED = Number(process.env['ETL_KILLS_SEED'] ?? Math.floor(Math.random() * 0x7fffffff));

const REPLAY =
  `ETL_KILLS_SEED=${SEED} ETL_KILLS=${KILLS} npx vitest run --project integration ` +
  'test/integration/killed-client.test.ts';

/** A load that is killed so often before it may come to its end. */
const KILLS_PER_LOAD = 5;

interface KilledLoad {
  readonly name: string;
  readonly files: readonly OracleFile[];
  readonly words: readonly string[];
  readonly create: (table: string) => string;
  readonly key: boolean;
  /** Words of the plan that show that it is this kind of load. */
  readonly says?: string;
  /** On a server that allows no prepared transactions. */
  readonly unprepared?: boolean;
  /** Behind the rows of the first file; it is put aside by whichever run loads the file. */
  readonly badLine?: string;
}

const KEYED = (table: string): string =>
  `create table ${table} (id bigint primary key, name text, n bigint);
   insert into ${table} values (3, 'held', 3), (20, 'held', 20)`;

/** Of a table that the run makes. */
const KEY_ONLY = (table: string): string =>
  `create table ${table} (id bigint primary key, name text, n bigint)`;

/** So many rows that `partitioned` takes two owners, and prepares their transactions. */
const LARGE = overlappingFiles(4, 14_000, 5_000);
const PARTITIONED = ['--strategy', 'partitioned', '--concurrency', '3'];

/** Each row alone has half a kilobyte, so that the file is large enough to be split. */
const SPLIT = overlappingFiles(1, 34_000, 0).map((file) => ({
  ...file,
  rows: file.rows.map(([id, name, n]) => [
    id ?? null,
    (name ?? 'none').padEnd(500, '.'),
    n ?? null,
  ]),
}));

/** Above what the table holds, and one above the other. */
const RISING = [100, 100_000].map((from): OracleFile => ({
  columns: ['id', 'name', 'n'],
  rows: Array.from({ length: 40_000 }, (_, row) => [String(from + row), `row ${row}`, String(row)]),
}));

const LOADS: readonly KilledLoad[] = [
  {
    name: 'overlapping files that wait for each other',
    files: overlappingFiles(8, 400, 150),
    words: ['--strategy', 'full-parallel', '--concurrency', '3'],
    create: KEYED,
    key: true,
  },
  {
    name: 'partitioned with prepared transactions',
    files: LARGE,
    words: PARTITIONED,
    create: KEYED,
    key: true,
  },
  {
    name: 'partitioned without prepared transactions',
    files: LARGE,
    words: PARTITIONED,
    create: KEYED,
    key: true,
    unprepared: true,
  },
  {
    name: 'a new table that is filled before its key',
    files: overlappingFiles(3, 4_200, 5_000).map((file) => ({
      ...file,
      rows: [...new Map(file.rows.map((row) => [row[0], row])).values()],
    })),
    words: ['--key', 'id', '--strategy', 'full-parallel', '--concurrency', '3'],
    says: 'filled before it gets its key',
    create: () => '',
    key: true,
  },
  {
    name: 'append',
    files: overlappingFiles(6, 400, 150),
    words: ['--on-conflict', 'append', '--concurrency', '3'],
    create: (table) => `create table ${table} (id bigint, name text, n bigint)`,
    key: false,
  },
  {
    name: 'a file that is split',
    files: SPLIT,
    words: [...PARTITIONED, '--chunk-size', '10000'],
    says: 'partitioned, 2 workers',
    create: KEYED,
    key: true,
  },
  {
    name: 'files that are copied into the table itself, one with a bad row',
    files: RISING,
    words: ['--on-error', 'quarantine', '--concurrency', '2'],
    says: '2 of 2 units of work',
    badLine: '50000,bad\n',
    create: KEYED,
    key: true,
  },
  {
    name: 'groups of small files',
    files: overlappingFiles(200, 6, 4),
    words: ['--concurrency', '3'],
    create: KEYED,
    key: true,
  },
];

let db: TestDatabase;
let unprepared: EmbeddedServer;
let folder = '';
const random = createRandom(SEED);
const tally = { kills: 0, inTransaction: 0, loads: 0, rowsCompared: 0 };

beforeAll(async () => {
  db = await createTestDatabase();
  const settings = { fsync: 'off', max_prepared_transactions: '0' };
  unprepared = await startEmbedded({
    home: await readyHome(),
    mode: 'attached',
    settings,
    temporary: true,
  });
});
afterAll(async () => {
  process.stdout.write(`faults: kill -9 of etl (seed ${SEED}): ${JSON.stringify(tally)}\n`);
  await unprepared.release();
  await db.drop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-killed-'));
});
afterEach(() => rm(folder, { recursive: true }));

test.for(LOADS)('$name', { timeout: 300_000 }, async (load) => {
  const url = load.unprepared === true ? unprepared.url : db.url;
  const table = `t${LOADS.indexOf(load)}`;
  for (const [name, text] of Object.entries(csvFiles(load.files))) {
    await writeFile(join(folder, name), text + (name === 'f0.csv' ? (load.badLine ?? '') : ''));
  }
  const digest = await oracleDigest(
    db,
    (name) => load.create(name) || KEY_ONLY(name),
    load.key ? 'update' : 'append',
    load.files,
  );
  const words = ['run', 'f*.csv', '--table', table, '--database-url', url, ...load.words];
  const attempt = { url, table, words, digest };
  let { ms: normalMs } = await untilLoaded(load, { ...attempt, kills: 0, normalMs: 0 });
  let left = Math.ceil(KILLS / LOADS.length);
  for (let loads = 0; left > 0; loads++) {
    expect(loads, 'loads that came to their end before they were killed').toBeLessThan(KILLS);
    const now = Math.min(KILLS_PER_LOAD, left);
    const { kills } = await untilLoaded(load, { ...attempt, kills: now, normalMs });
    // The first run may have been a slow one; then the others end before they are killed.
    if (kills < now) normalMs *= 0.8;
    left -= kills;
  }
});

interface Attempt {
  readonly url: string;
  readonly table: string;
  readonly words: readonly string[];
  readonly digest: string;
  readonly kills: number;
  /** Milliseconds of a run that nobody kills. */
  readonly normalMs: number;
}

/**
 * Kills so many runs of one load, or fewer where one comes to its end before; then the next ends it.
 * Resolves to the number of kills, and the milliseconds of the last run.
 */
async function untilLoaded(
  load: KilledLoad,
  attempt: Attempt,
): Promise<{ readonly kills: number; readonly ms: number }> {
  const { url, table, words, digest, kills, normalMs } = attempt;
  await queryOnce(url, `drop table if exists ${table}; ${load.create(table)}`);
  const moments: number[] = [];
  // A connection that stands, so that a look takes no time in which the run goes on.
  const watch = openSessions(url);
  while (moments.length < kills) {
    const share = random.next();
    const run = startCli(words, { cwd: folder });
    const startedAt = performance.now();
    if (moments.length % 2 === 0) {
      await sleep(normalMs * (EARLIEST + (LATEST - EARLIEST) * share));
    } else {
      await untilOpen(watch, 2 * normalMs);
      await sleep(normalMs * SOON * share);
    }
    const moment = Math.round(performance.now() - startedAt);
    const open = await isOpen(watch);
    run.kill('SIGKILL');
    const { signal, code, stderr } = await run.end;
    if (signal !== 'SIGKILL') {
      expect([ENDS.includes(code ?? -1), stderr]).toEqual([true, '']);
      break;
    }
    moments.push(moment);
    tally.inTransaction += open ? 1 : 0;
  }
  await watch.close();
  const startedAt = performance.now();
  const { code, stdout, stderr } = await runCli(words, { cwd: folder });
  const ms = performance.now() - startedAt;
  const replay = `killed after ${moments.join(', ')} ms; ${REPLAY}\n${stderr}${stdout}`;
  expect(ENDS, replay).toContain(code);
  if (load.badLine !== undefined) {
    const rejects = join(folder, 'rejects');
    expect(await readdir(rejects), replay).toEqual(['f0.csv.rejects.csv']);
    const text = await readFile(join(rejects, 'f0.csv.rejects.csv'), 'utf8');
    expect(text.trimEnd().split('\n'), replay).toHaveLength(2);
    await rm(rejects, { recursive: true });
  }
  if (kills === 0) expect(stdout.replaceAll(/\s+/g, ' ')).toContain(load.says ?? '');
  const [found] = await queryOnce(url, tableDigest(table));
  expect(found?.['digest'], replay).toBe(digest);
  expect(await queryOnce(url, TWINS), replay).toEqual([]);
  await expectNoLeaks(url);
  tally.kills += moments.length;
  tally.loads += 1;
  tally.rowsCompared += Number.parseInt(digest);
  return { kills: moments.length, ms };
}

/** Of a run that has put a bad row aside, or leaves that to the one before. */
const ENDS: readonly number[] = [0, 3];

/** Whether the run has written something that must be rolled back. */
const OPEN = `select count(*) as open from pg_stat_activity
               where datname = current_database() and application_name like 'etl %'
                 and backend_xid is not null`;

/** Most of a short run is its start and its plan: until it has begun to write. */
async function untilOpen(watch: TestSessions, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) if (await isOpen(watch)) return;
}

async function isOpen(watch: TestSessions): Promise<boolean> {
  const [row] = await watch.query(OPEN);
  return Number(row?.['open']) > 0;
}

const TWINS = `select relname from pg_class where starts_with(relname, 'etl_fresh_')`;

/** Shares of a run's time: before it nothing is done yet that could be torn, after it all is. */
const EARLIEST = 0.35;
const LATEST = 0.95;
/** Of every second kill: how long after it has begun to write, at most. */
const SOON = 0.02;
