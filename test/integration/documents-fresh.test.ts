import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded, type EmbeddedServer } from '../../src/embedded/embedded.ts';
import { LIMITS } from '../../src/limits.ts';
import { stagedDocuments } from '../../src/load/staged-documents.ts';
import type { Plan } from '../../src/plan/plan-types.ts';
import type { RunEvent } from '../../src/run/events.ts';
import type { Report } from '../../src/run/report-types.ts';
import { createFreshLedger } from '../../src/run/fresh-ledger.ts';
import { connect } from '../../src/target/connect.ts';
import { emptyFresh } from '../../src/target/fresh-table.ts';
import { migrateLedger } from '../../src/target/ledger-schema.ts';
import type { LedgerEntry } from '../../src/target/ledger.ts';
import { copyLedger, writeLedger } from '../../src/target/write-ledger.ts';
import { expectNoLeaks, openSessions, type TestSessions } from '../support/database.ts';
import { readyHome, removeHome } from '../support/embedded-process.ts';
import { planJob, runPlan, type LoadOptions } from '../support/load.ts';

/**
 * Documents into a table that the run makes: by one session, where that spares the server its WAL. On a
 * server of its own, since WAL is counted for a whole server, and other tests write theirs.
 */
let home = '';
let server: EmbeddedServer;
const CONNECTION = { applicationName: 'ledger', connectTimeoutMs: 10_000 };
let place: { readonly db: TestSessions; readonly folder: string };

beforeAll(async () => {
  home = await readyHome();
  server = await startEmbedded({ home, mode: 'attached', settings: { fsync: 'off' } });
  const folder = await mkdtemp(join(tmpdir(), 'etl-documents-fresh-'));
  place = { db: openSessions(server.url), folder };
});
afterEach(() => expectNoLeaks(server.url));
afterAll(async () => {
  await rm(place.folder, { recursive: true });
  await place.db.close();
  await server.release();
  await removeHome(home);
});

/** A plan is what runs: nobody changes it on the way. */
function expectFrozen(value: unknown, name = 'files'): void {
  if (typeof value !== 'object' || value === null) return;
  expect(Object.isFrozen(value), name).toBe(true);
  for (const [inner, one] of Object.entries(value)) expectFrozen(one, `${name}.${inner}`);
}

describe('documents of a table that is made', () => {
  const DOCUMENTS = 40;
  const BYTES = 100_000;

  it('write no WAL where the server skips it, and are all there', async () => {
    const plan = await planned('skipped');
    expectFrozen(plan.loads[0]?.files);
    expect(plan.loads[0]).toMatchObject({ concurrency: 2, fillBeforeKey: true });
    const { walBytes, report } = await loaded(plan);
    expect(walBytes).toBeLessThan((DOCUMENTS * BYTES) / 4);
    expect(report.loads[0]?.totals).toMatchObject({ inserted: DOCUMENTS });
    expect(report.resources.connectionsPeak).toBe(2);
    await expect(hashes('skipped')).resolves.toEqual(await hashesOfLedger(report));
  });

  it('are flushed while they are written, unless somebody has set that', async () => {
    await place.db.query('create table flushed (id int)');
    const within = async (session: Record<string, string>): Promise<unknown> => {
      const own = await connect({ ...CONNECTION, databaseUrl: server.url, session });
      await own.query('begin');
      await emptyFresh(own, 'flushed');
      const [row] = await own.query('show backend_flush_after');
      await own.end();
      return row?.['backend_flush_after'];
    };
    const [most] = await place.db.query(
      `select max_val from pg_settings where name = 'backend_flush_after'`,
    );
    await expect(within({})).resolves.toBe(most?.['max_val'] === '0' ? '0' : '2MB');
    if (most?.['max_val'] === '0') return;
    await expect(within({ backend_flush_after: '64kB' })).resolves.toBe('64kB');
  });

  it('write it where several workers are to share the work', async () => {
    const plan = await planned('shared', { concurrency: 3 });
    const { walBytes, report } = await loaded(plan);
    expect(walBytes).toBeGreaterThan(DOCUMENTS * BYTES);
    expect(report.resources.connectionsPeak).toBe(4);
    await expect(hashes('shared')).resolves.toEqual(await hashesOfLedger(report));
  });

  it('are staged where one is bad, and the good ones before it stay', async () => {
    await planned('bad');
    await writeFile(pathOf('bad', 7), Buffer.alloc(BYTES, 0xff));
    const again = await planned('bad', {}, false);
    const notices: string[] = [];
    const { report } = await loaded(again, {
      onEvent: (event: RunEvent) => {
        if (event.kind === 'notice') notices.push(event.sentence);
      },
    });
    expect(notices.join()).toMatch(
      /could not be filled before its key was added .*staging instead/s,
    );
    expect(report.error?.facts.file).toMatch(/7_x\.html$/);
    await expect(count('bad')).resolves.toBe(7);
    await expect(
      place.db.query(`select relname from pg_class where relname like 'etl\\_fresh%'`),
    ).resolves.toEqual([]);
  });

  it('leave nothing behind where the run is interrupted amid the copy', async () => {
    const plan = await planned('cut');
    const abort = new AbortController();
    const { report } = await loaded(plan, {
      signal: abort.signal,
      onEvent: (event: RunEvent) => {
        if (event.kind === 'file-staged') abort.abort();
      },
    });
    expect(report.status).toBe('interrupted');
    await expect(count('cut')).resolves.toBe(0);
    await loaded(await planned('cut', {}, false));
    await expect(count('cut')).resolves.toBe(DOCUMENTS);
  });

  /** A plan as of very many documents. */
  async function planned(table: string, settings = {}, writes = true): Promise<Plan> {
    await mkdir(join(place.folder, table), { recursive: true });
    for (let id = 0; writes && id < DOCUMENTS; id++) {
      await writeFile(pathOf(table, id), randomBytes(BYTES / 2).toString('hex'));
    }
    const job = {
      settings: { concurrency: 2, ...settings },
      loads: [
        {
          files: [`${table}/*.html`],
          table,
          key: ['id', 'level'],
          documents: { path: '{id}_{level}.html' },
          compression: { content: 'none' as const },
        },
      ],
    };
    const plan = await planJob(place.db.url, job, { cwd: place.folder });
    return {
      ...plan,
      loads: plan.loads.map((load) => ({ ...load, fillBeforeKey: load.table.create !== null })),
    };
  }

  function pathOf(table: string, id: number): string {
    return join(place.folder, table, `${id}_x.html`);
  }

  async function loaded(
    plan: Plan,
    options: Omit<LoadOptions, 'cwd'> = {},
  ): Promise<{ walBytes: number; report: Report }> {
    const lsn = `select pg_current_wal_insert_lsn()::text as lsn`;
    const [before] = await place.db.query(lsn);
    const report = await runPlan(place.db.url, plan, options);
    const [after] = await place.db.query(
      `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::float8 as bytes`,
      [before?.['lsn']],
    );
    return { walBytes: Number(after?.['bytes']), report };
  }

  async function count(table: string): Promise<number> {
    const [row] = await place.db.query(`select count(*)::int as rows from ${table}`);
    return Number(row?.['rows']);
  }

  function hashes(table: string): Promise<unknown[]> {
    return place.db.query(
      `select encode(sha256(convert_to(content, 'UTF8')), 'hex') as hash from ${table} order by id`,
    );
  }

  /** In the order of the documents. */
  function hashesOfLedger({ runId }: Report): Promise<unknown[]> {
    return place.db.query(
      `select content_hash as hash from etl.ledger
        where run_id = $1 order by ordinal`,
      [runId],
    );
  }
});

describe('the ledger of very many files', () => {
  const MANY = LIMITS.recordedFilesPerStatement + 10;
  const LAST = `${MANY - 1}_x.html`;
  const folder = (): string => join(place.folder, 'many');

  beforeAll(async () => {
    await mkdir(folder());
    for (let id = 0; id < MANY; id++) await writeFile(join(folder(), `${id}_x.html`), `<p>${id}`);
  });

  async function loadMany(options: Omit<LoadOptions, 'cwd'> = {}): Promise<Report> {
    const documents = { path: '{id}_{level}.html' };
    // More workers than share a session that skips the WAL.
    const job = {
      settings: { concurrency: 3 },
      loads: [{ files: ['many/*.html'], table: 'many', key: ['id', 'level'], documents }],
    };
    const plan = await planJob(place.db.url, job, { cwd: place.folder });
    return runPlan(place.db.url, plan, options);
  }

  async function expectRows(rows: number): Promise<void> {
    await expect(
      place.db.query(
        `select count(*)::int as entries, count(distinct path)::int as files,
                (select count(*)::int from many) as rows
           from etl.ledger where table_oid = 'many'::regclass`,
      ),
    ).resolves.toEqual([{ entries: rows, files: rows, rows }]);
  }

  it('has nothing where the run is interrupted amid the copies', async () => {
    const abort = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.kind === 'file-staged') abort.abort();
    };
    const { status } = await loadMany({ signal: abort.signal, onEvent });
    expect(status).toBe('interrupted');
    await expectRows(0);
  });

  it('has each file that is in the table where the last one is bad', async () => {
    await place.db.query('drop table many');
    await writeFile(join(folder(), LAST), Buffer.alloc(9, 0xff));
    const notices: string[] = [];
    const report = await loadMany({
      onEvent: (event) => {
        if (event.kind === 'notice') notices.push(event.sentence);
      },
    });
    expect(notices.join()).toContain('loaded through staging instead');
    expect(report.error?.facts.file).toContain(LAST);
    await expectRows(MANY - 1);
  });

  it('has each file once, whoever was copied first', async () => {
    await place.db.query('drop table many');
    await writeFile(join(folder(), LAST), '<p>last');
    const report = await loadMany();
    expect(report.loads[0]?.totals).toMatchObject({ inserted: MANY });
    await expectRows(MANY);
    await expect(
      place.db.query(
        `select count(*)::int from etl.ledger l
           join many m on l.path like format('%%/%s_%s.html', m.id, m.level)
                      and l.content_hash = encode(sha256(convert_to(m.content, 'UTF8')), 'hex')
          where l.run_id = $1 and l.ordinal >= $2`,
        [report.runId, MANY - 100],
      ),
    ).resolves.toEqual([{ count: 100 }]);
  });

  it('has nothing of what was to be written when the load went wrong', async () => {
    const job = {
      loads: [
        {
          files: ['many/*.html'],
          table: 'stopped',
          key: ['id', 'level'],
          documents: { path: '{id}_{level}.html' },
        },
      ],
    };
    const [load] = (await planJob(place.db.url, job, { cwd: place.folder })).loads;
    const files = load?.files ?? [];
    const connection = await connect({ ...CONNECTION, databaseUrl: place.db.url, session: {} });
    await migrateLedger(connection, 'stopped');
    const ledger = createFreshLedger(
      connection,
      { files, units: [] },
      {
        ...{ schema: 'stopped', runId: 'stopped', planId: 'p', tableOid: 1, tableName: 'stopped' },
        ...{ fingerprint: 'f', strategy: 'full-parallel', origins: true },
      },
    );
    expect(ledger.meanwhile).toBe(true);
    await connection.query('begin');
    for (let from = 0; from < 8_000; from += 1_000) {
      ledger.add(stagedDocuments(files.slice(from, from + 1_000), '0'.repeat(64_000)));
    }
    await ledger.stop();
    await connection.query('rollback');
    // Whoever comes next on the connection comes behind all that was asked for.
    await expect(connection.query(`select count(*)::int from stopped.ledger`)).resolves.toEqual([
      { count: 0 },
    ]);
    await connection.end();
  });

  it('is the same by COPY as by statements', async () => {
    const paths = ['/a/plain', '/a/tab\tline\nend\r', '/a/back\\slash\\N', '/a/ä "quoted"', '\\.'];
    const counts = { inserted: 3, updated: 2, unchanged: 1, superseded: 4, rejected: 5 };
    const entries: LedgerEntry[] = Array.from({ length: 2_345 }, (_, ordinal) => ({
      path: `${paths[ordinal % paths.length] ?? ''}${ordinal}`,
      ordinal,
      bytes: 2 ** 40 + ordinal,
      mtimeMs: 1_700_000_000_000.125 + ordinal / 8,
      ctimeMs: ordinal % 5 === 0 ? undefined : 1_700_000_000_000.125 + ordinal / 16,
      realPath: ordinal % 7 === 0 ? `/real\t${ordinal}` : undefined,
      contentHash: ordinal.toString(16).padStart(64, '0'),
      rowsRead: 10 + ordinal,
      rejected: ordinal % 3,
      counts: ordinal % 2 === 0 ? null : { ...counts, rowsRead: 1, rejected: ordinal % 3 },
    }));
    const connection = await connect({ ...CONNECTION, databaseUrl: place.db.url, session: {} });
    await migrateLedger(connection, 'by hand');
    const tableName = '"a\tb".c';
    await connection.query(`create schema "a\tb"; create table ${tableName} ()`);
    const [table] = await connection.query('select $1::regclass::oid::int8 as oid', [tableName]);
    const context = {
      ...{ schema: 'by hand', planId: 'plan\\', tableOid: Number(table?.['oid']), tableName },
      ...{ fingerprint: 'f', strategy: 'full-parallel', origins: true as const },
    };
    await writeLedger(connection, { ...context, runId: 'statements' }, entries);
    await copyLedger(connection, { ...context, runId: 'copy' }, entries.values());
    const rowsOf = (run: string): Promise<readonly unknown[]> =>
      connection.query(
        `select to_jsonb(l) - 'id' - 'run_id' - 'loaded_at' as row
           from "by hand".ledger l where run_id = $1 order by id`,
        [run],
      );
    const copied = await rowsOf('copy');
    expect(copied).toHaveLength(entries.length);
    expect(copied).toEqual(await rowsOf('statements'));
    await connection.end();
  });
});
