import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import type { OracleFile } from '../../tools/oracle.ts';
import { digestOf, oracleDigest } from '../support/batched-oracle.ts';
import { runCli } from '../support/cli-process.ts';
import { openSessions, type TestSessions } from '../support/database.ts';
import { readyHome, removeHome } from '../support/embedded-process.ts';
import { etl, expectTold, type EtlEnd } from '../support/etl.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { useScene } from '../support/scene.ts';

/** Something is used up: the load ends with a clear error, and is made by the next run with room. */
const columns = (table: string): string =>
  `create table ${table} (id bigint primary key, name text, n bigint)`;
const scene = useScene(columns);

/** 3 MB, in no order of the key, so that a merge must sort. */
function wideFiles(): OracleFile[] {
  return overlappingFiles(3, 2_000, 700).map((file) => ({
    ...file,
    rows: file.rows.map(([id, name, n]) => [
      String((Number(id) * 7_919) % 10_007),
      (name ?? 'none').padEnd(500, '.'),
      n ?? null,
    ]),
  }));
}

async function expectLoaded(
  end: EtlEnd,
  db: TestSessions | typeof scene.db,
  table: string,
  files: readonly OracleFile[],
): Promise<void> {
  expect(end.code, end.stdout + end.stderr).toBe(0);
  const wanted = await oracleDigest(db, columns, 'update', files);
  expect(await digestOf(db, table)).toBe(wanted);
}

test.for(['full-parallel', 'partitioned'] as const)(
  'the sorts of a merge have no room on the disk (%s)',
  async (strategy) => {
    const { db, table } = scene;
    const files = wideFiles();
    await scene.write(csvFiles(files));
    const words = ['f*.csv', '--strategy', strategy, '--session', 'work_mem=64kB'];
    await db.query(`alter database ${db.name} set temp_file_limit = '64kB'`);
    const end = await scene.run(words);
    await db.query(`alter database ${db.name} reset temp_file_limit`);
    expectTold(end, 'ETL_SERVER', 1, { sqlState: '53400' });
    expect(end.error?.remedy).toContain('temp_file_limit');
    await expectLoaded(await scene.run(words), db, table, files);
  },
);

test('a role has no connection left for all workers', async () => {
  const { db, table } = scene;
  const files = overlappingFiles(6, 50, 20);
  await scene.write(csvFiles(files));
  const role = `narrow_${db.name}`;
  await db.query(`create role ${role} login password 'secret' connection limit 2;
                  grant create on database ${db.name} to ${role}; alter table ${table} owner to ${role}`);
  try {
    const url = db.url.replace(/\/\/[^@/]*@/, `//${role}:secret@`);
    const run = (concurrency: number): Promise<EtlEnd> =>
      etl(
        [
          'run',
          'f*.csv',
          '--table',
          table,
          '--database-url',
          url,
          '--strategy',
          'full-parallel',
          '--ledger-schema',
          'narrow',
          '--concurrency',
          String(concurrency),
        ],
        { cwd: scene.folder },
      );
    const end = await run(3);
    expectTold(end, 'ETL_CONNECTION', 2, { sqlState: '53300' });
    expect(end.error?.remedy).toContain('Lower --concurrency');
    await expectLoaded(await run(1), db, table, files);
  } finally {
    await db.query(
      `reassign owned by ${role} to current_user; drop owned by ${role}; drop role ${role}`,
    );
  }
});

test('the memory that all sessions of the server share is used up', async () => {
  const home = await readyHome();
  const settings = { fsync: 'off', max_connections: '10', max_locks_per_transaction: '10' };
  const server = await startEmbedded({ home, mode: 'attached', settings, temporary: true });
  const db = openSessions(server.url);
  try {
    const files = overlappingFiles(2, 50, 20);
    await scene.write(csvFiles(files));
    await db.query(columns('crowded'));
    const hog = await db.client();
    await hog.query('begin');
    const run = (): Promise<EtlEnd> =>
      etl(['run', 'f*.csv', '--table', 'crowded', '--database-url', server.url], {
        cwd: scene.folder,
      });
    await hog.query(`do $$ begin
      for i in 1 .. 100000 loop
        begin perform pg_advisory_xact_lock(i);
        exception when out_of_memory then exit; end;
      end loop; end $$`);
    const end = await run();
    await hog.query('rollback');
    expectTold(end, 'ETL_SERVER', 1, { sqlState: '53200' });
    await expectLoaded(await run(), db, 'crowded', files);
  } finally {
    await db.close();
    await server.release();
    await removeHome(home);
  }
});

test('a file of the server cannot grow, neither in the new table nor in staging', async () => {
  const home = await readyHome();
  const files = overlappingFiles(1, 48_000, 0).map((file) => ({
    ...file,
    rows: file.rows.map(([, name, n], place) => [
      String(place),
      (name ?? 'none').padEnd(500, '.'),
      n ?? null,
    ]),
  }));
  await scene.write(csvFiles(files));
  const words = ['run', 'f0.csv', '--table', 'large', '--key', 'id'];
  const options = { cwd: scene.folder, env: { ETL_EMBEDDED_DIR: home } };
  try {
    // 18 MiB and half a kilobyte: more than a segment of WAL, less than the table, and no whole page.
    const end = await runCli(words, { ...options, fileBlocksMax: 36_865 });
    const said = end.stdout.replaceAll(/\s+/g, ' ');
    expect(end.code, end.stdout + end.stderr).toBe(1);
    expect(said).toContain('could not extend file');
    expect(said).toContain('Check free disk space.');
    expect(end.stdout + end.stderr).not.toMatch(/\n\s+at |Unexpected/);

    const server = await startEmbedded({ home, mode: 'attached' });
    const db = openSessions(server.url);
    const left = `select relname from pg_class where relname like 'etl\\_%' or relname like 'staging\\_%'`;
    expect(await db.query(left)).toEqual([]);
    expect(await db.query('select count(*)::int as n from large')).toEqual([{ n: 0 }]);
    const next = await runCli(words, options);
    expect(next.code, next.stdout + next.stderr).toBe(0);
    expect(await digestOf(db, 'large')).toBe(await oracleDigest(db, columns, 'update', files));
    await db.close();
    await server.release();
  } finally {
    await removeHome(home);
  }
});

/** 2,000 rows of which every second is bad; of the good ones each key comes twice. */
function halfBad(): string {
  const lines = Array.from({ length: 2_000 }, (_, row) =>
    row % 2 === 0 ? `${row % 500},good,1` : `${row},bad,no number at all`,
  );
  return `id,name,n\n${lines.join('\n')}\n`;
}

test.for([
  ['rejected rows', ['--on-error', 'quarantine'], 'Rejected rows cannot be written', 'rejects'],
  ['rows that lose', ['--keep-superseded', 'lost'], 'cannot be written', 'lost'],
] as const)('the folder of %s is full', async ([what, words, says, folder]) => {
  const text = what === 'rejected rows' ? halfBad() : halfBad().replaceAll('no number at all', '1');
  await scene.write({ 'f0.csv': text });
  const all = ['run', 'f0.csv', '--database-url', scene.db.url, '--table', scene.table, ...words];
  // 8 KiB: a reject file of a few rows, and not of these.
  const end = await runCli(all, { cwd: scene.folder, fileBlocksMax: 16 });
  expect(end.code, end.stdout + end.stderr).toBe(2);
  expect(end.stderr + end.stdout).toContain(says);
  expect(end.stderr + end.stdout).toContain('ETL_NO_ROOM');
  expect(end.stderr + end.stdout).not.toMatch(/\n\s+at |Unexpected/);
  const left = await readdir(join(scene.folder, folder)).catch(() => []);
  expect(left).toEqual([]);
  const [before] = await scene.db.query(`select count(*)::int as n from ${scene.table}`);
  if (what === 'rejected rows') expect(before).toEqual({ n: 0 });

  const next = await runCli([...all, '--force'], { cwd: scene.folder });
  expect(next.code, next.stdout + next.stderr).toBe(what === 'rejected rows' ? 3 : 0);
  const written = await readdir(join(scene.folder, folder));
  expect(written).toHaveLength(1);
  const lines = (await readFile(join(scene.folder, folder, written[0] ?? ''), 'utf8')).split('\n');
  expect(lines.length).toBeGreaterThan(500);
});

test('standard output and the report are on a full disk', async () => {
  const files = overlappingFiles(1, 50, 20);
  await scene.write(csvFiles(files));
  const words = ['run', 'f0.csv', '--database-url', scene.db.url, '--table', scene.table];
  const full = existsSync('/dev/full');
  const output = full
    ? await runCli(words, { cwd: scene.folder, stdoutPath: '/dev/full' })
    : await runCli(words, {
        cwd: scene.folder,
        stdoutPath: join(scene.folder, 'log'),
        fileBlocksMax: 0,
      });
  expect(output.code, output.stderr).toBe(1);
  expect(output.stderr).toContain('What it has to say cannot be written');
  expect(output.stderr).not.toMatch(/\n\s+at /);
  const wanted = await oracleDigest(scene.db, columns, 'update', files);
  expect(await digestOf(scene.db, scene.table)).toBe(wanted);

  const report = full ? ['--report', '/dev/full'] : ['--report', 'report.json'];
  const options = { cwd: scene.folder, ...(full ? {} : { fileBlocksMax: 0 }) };
  const reported = await runCli([...words, '--force', ...report], options);
  expect(reported.code, reported.stderr).toBe(2);
  expect(reported.stderr).toContain('The report could not be written');
  expect(reported.stderr).not.toMatch(/\n\s+at /);
});
