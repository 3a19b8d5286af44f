import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Binaries } from '../../src/embedded/binaries.ts';
import { embeddedStatus, startEmbedded, stopEmbedded } from '../../src/embedded/embedded.ts';
import { processIdentity } from '../../src/embedded/process-identity.ts';
import { EtlError } from '../../src/errors.ts';
import {
  expectNothingRuns,
  fillHome,
  freshHome,
  processesNaming,
  queryOnce,
  removeHome,
} from '../support/embedded-process.ts';

const settings = { fsync: 'off', shared_buffers: '16MB' };

let home: string;
beforeEach(() => {
  home = freshHome();
});
afterEach(() => removeHome(home));

describe('one process', () => {
  test('starts, says its status, keeps its data over a restart, and ends', async () => {
    expect(await embeddedStatus(home)).toMatchObject({ state: 'not-initialised', pid: null });
    expect(existsSync(home)).toBe(false);

    const first = await startEmbedded({ home, mode: 'attached', settings });
    expect(first).toMatchObject({ startedHere: true });
    expect(first.version).toMatch(/^18\./);
    await queryOnce(first.url, 'create table kept as select 7 as n');
    const running = await embeddedStatus(home);
    expect(running).toMatchObject({ state: 'running', pid: first.pid, version: first.version });
    expect(running).toMatchObject({ standing: false, url: first.url });
    expect(running.bytes).toBeGreaterThan(1_000_000);
    expect(running.startedAt?.getTime()).toBeGreaterThan(Date.UTC(2020, 0));

    await first.release();
    await first.release();
    expect(await embeddedStatus(home)).toMatchObject({ state: 'stopped', pid: null });
    await expectNothingRuns(home);

    const second = await startEmbedded({ home, mode: 'attached', settings });
    expect(await queryOnce(second.url, 'select n from kept')).toEqual([{ n: 7 }]);
    await second.release();
  });

  test('settings: defaults for loading, those asked for over them, no TCP, UTF-8', async () => {
    const odd = { ...settings, application_name: `it's a "test" \\ of quoting` };
    const server = await startEmbedded({ home, mode: 'attached', settings: odd });
    const [row] = await queryOnce(
      server.url,
      `select current_setting('listen_addresses') as tcp, current_setting('fsync') as fsync,
              current_setting('wal_level') as wal, current_setting('server_encoding') as encoding,
              current_setting('max_prepared_transactions') as prepared,
              current_setting('application_name') as odd,
              'a' < 'B' as by_language, lower('ÄÖ') as lower, current_database() as db`,
    );
    expect(row).toEqual({
      tcp: '',
      fsync: 'off',
      wal: 'minimal',
      encoding: 'UTF8',
      prepared: '64',
      odd: odd.application_name,
      by_language: false,
      lower: 'äö',
      db: 'etl',
    });
    const socket = await stat(join(home, 'socket'));
    expect(socket.mode & 0o777).toBe(0o700);
    await server.release();
  });

  test('a second start in the same process shares the server; the last release ends it', async () => {
    await fillHome(home);
    const [a, b] = await Promise.all([
      startEmbedded({ home, mode: 'attached', settings }),
      startEmbedded({ home, mode: 'attached', settings }),
    ]);
    expect(a.pid).toBe(b.pid);
    expect([a.startedHere, b.startedHere].sort()).toEqual([false, true]);
    await a.release();
    expect(await queryOnce(b.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await b.release();
    expect(await embeddedStatus(home)).toMatchObject({ state: 'stopped' });
  });

  test('a temporary home goes with its server', async () => {
    await fillHome(home);
    const server = await startEmbedded({ home, mode: 'attached', settings, temporary: true });
    expect(existsSync(home)).toBe(true);
    await server.release();
    expect(existsSync(home)).toBe(false);
  });

  test('a home too deep for a socket, with spaces, puts its socket into a short folder', async () => {
    const deep = join(home, 'Application Support', 'x'.repeat(90));
    const server = await startEmbedded({ home: deep, mode: 'attached', settings, temporary: true });
    expect(new URLSearchParams(server.url.split('?')[1]).get('host')).toMatch(/^\/tmp\/etl-\d+-/);
    expect(await queryOnce(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await embeddedStatus(deep)).pid).toBe(server.pid);
    await server.release();
    await expectNothingRuns(deep);
  });
});

describe('what goes wrong', () => {
  test('a setting that the server refuses: the error holds the last lines of its log', async () => {
    await fillHome(home);
    const wrong = startEmbedded({ home, mode: 'attached', settings: { shared_buffers: 'much' } });
    const error = await wrong.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(EtlError);
    expect(error).toMatchObject({ code: 'ETL_EMBEDDED' });
    expect((error as EtlError).message).toContain('shared_buffers');
    expect((error as EtlError).record.remedy).toContain('postgres.log');
    await expectNothingRuns(home);
    // And the same home serves again once the setting is right.
    const server = await startEmbedded({ home, mode: 'attached', settings });
    await server.release();
  });

  test('a postmaster.pid whose process id has gone to another program is recovered', async () => {
    await fillHome(home);
    const first = await startEmbedded({ home, mode: 'attached', settings });
    const pidFile = join(home, 'data', 'postmaster.pid');
    const text = await readFile(pidFile, 'utf8');
    await first.release();
    // This test itself plays the other program; it runs, and it is no server.
    await writeFile(pidFile, text.replace(/^\d+/, String(process.pid)));
    await writeFile(join(home, 'socket', '.s.PGSQL.5432.lock'), `${process.pid}\n${home}/data\n`);
    expect(await embeddedStatus(home)).toMatchObject({ state: 'stopped' });
    expect(await stopEmbedded(home)).toBe(false);
    const second = await startEmbedded({ home, mode: 'attached', settings });
    expect(second.startedHere).toBe(true);
    await second.release();
  });

  test('a server that was killed is recovered with what was committed', async () => {
    await fillHome(home);
    const first = await startEmbedded({ home, mode: 'attached', settings });
    await queryOnce(first.url, 'create table kept as select generate_series(1, 1000) as n');
    process.kill(first.pid, 'SIGKILL');
    // A busy machine takes its time to end it.
    await vi.waitUntil(() => processIdentity(first.pid) === null, { timeout: 30_000 });
    const second = await startEmbedded({ home, mode: 'attached', settings });
    expect(second.pid).not.toBe(first.pid);
    const rows = await queryOnce(second.url, 'select count(*)::int as n from kept');
    expect(rows).toEqual([{ n: 1000 }]);
    await Promise.all([first.release(), second.release()]);
    await expectNothingRuns(home);
  });

  test('an aborted start leaves nothing', async () => {
    const stop = new AbortController();
    const start = startEmbedded({ home, mode: 'attached', settings, signal: stop.signal });
    const failed = start.catch((error: unknown) => error);
    // The watchdog is there, and initdb or the server is on its way.
    while (processesNaming(home).length === 0) await new Promise((next) => setTimeout(next, 10));
    stop.abort();
    expect(await failed).toMatchObject({ code: 'ETL_ABORTED' });
    await expectNothingRuns(home);
  });

  test('data of another major version are refused, and left alone', async () => {
    await mkdir(join(home, 'data'), { recursive: true });
    await writeFile(join(home, 'data', 'PG_VERSION'), '9.6\n');
    const start = startEmbedded({ home, mode: 'attached', settings });
    await expect(start).rejects.toThrow(/made by PostgreSQL 9\.6/);
    expect(await readFile(join(home, 'data', 'PG_VERSION'), 'utf8')).toBe('9.6\n');
  });

  test('programs that cannot be run are named', async () => {
    const none = { initdb: '/none/initdb', pg_ctl: '/none/pg_ctl', postgres: '/none/postgres' };
    const start = startEmbedded({ home, mode: 'attached', settings, binaries: none });
    await expect(start).rejects.toMatchObject({ code: 'ETL_EMBEDDED' });
    await expect(start).rejects.toThrow(/\/none\/postgres cannot be run/);
  });
});

describe('other programs than the package', () => {
  const installed = ['15', '16', '17', '18']
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
    .filter((bin) => existsSync(join(bin, 'postgres')))
    .map((bin): Binaries => ({
      initdb: join(bin, 'initdb'),
      pg_ctl: join(bin, 'pg_ctl'),
      postgres: join(bin, 'postgres'),
    }));

  test.for(installed)('$postgres', async (binaries) => {
    const server = await startEmbedded({ home, mode: 'attached', settings, binaries });
    const [row] = await queryOnce(server.url, `select version() as v, lower('Ä') as lower`);
    expect(row?.['v']).toContain(`PostgreSQL ${server.version} `);
    expect(row?.['lower']).toBe('ä');
    await server.release();
  });
});
