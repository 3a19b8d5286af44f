import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  openUpsert,
  upsert,
  type LoaderOptions,
  type UpsertLoader,
  type UpsertOptions,
  type UpsertResult,
  type UpsertTarget,
} from '../../src/index.ts';
import { EtlError, type ErrorRecord } from '../../src/errors.ts';
import { LIMITS } from '../../src/limits.ts';
import { openUpsertWith } from '../../src/run/upsert/upsert.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { useScene } from '../support/scene.ts';

/** Rows in memory, through the library's door. */
const scene = useScene(
  (table) => `create table ${table} (id bigint primary key, name text, n integer check (n < 100))`,
  FAULTS,
);

let spoolFolder = '';
beforeAll(async () => {
  spoolFolder = await mkdtemp(join(tmpdir(), 'etl-upsert-'));
});
afterAll(() => rm(spoolFolder, { recursive: true }));

type Target = Omit<UpsertTarget, 'table'> & { readonly table?: string };

function target({ table = scene.table, ...more }: Target = {}): UpsertTarget {
  return { table, databaseUrl: scene.db.url, ...more };
}

async function run(
  rows: Iterable<object> | AsyncIterable<object>,
  more: Target = {},
  options: UpsertOptions & LoaderOptions = {},
): Promise<UpsertResult> {
  const done = await upsert(target(more), rows, { spoolFolder, ...options });
  expect(await readdir(spoolFolder)).toEqual([]);
  return done;
}

async function withLoader<T>(
  use: (loader: UpsertLoader) => Promise<T>,
  more: Target = {},
): Promise<T> {
  const loader = await openUpsert(target(more), { spoolFolder });
  try {
    return await use(loader);
  } finally {
    await loader.close();
    expect(await readdir(spoolFolder)).toEqual([]);
  }
}

function table(): Promise<Record<string, unknown>[]> {
  return scene.db.query(`select * from ${scene.table} order by 1`);
}

async function ledger(): Promise<string[]> {
  const sql = `select path from etl.ledger where table_oid = $1::regclass order by id`;
  const rows = await scene.db.query<{ path: string }>(sql, [scene.table]);
  return rows.map(({ path }) => path);
}

const QUARANTINE = { settings: { onError: 'quarantine' } } as const;

describe('rows in memory', () => {
  test('end in the table as if upserted in their order, and are counted', async () => {
    await scene.db.query(`insert into ${scene.table} values (1, 'old', 1), (2, 'same', 2)`);
    const done = await run([
      { id: 1, name: 'new', n: 1 },
      { id: 2, name: 'same', n: 2 },
      { id: 3, name: 'first', n: 3 },
      { id: 3, name: 'last', n: 4 },
    ]);
    expect(done.counts).toEqual({
      ...{ rowsRead: 4, inserted: 1, updated: 1, unchanged: 1, superseded: 1, rejected: 0 },
    });
    expect([done.skipped, done.rejected, done.report?.status]).toEqual([false, [], 'loaded']);
    expect(await table()).toEqual([
      { id: '1', name: 'new', n: 1 },
      { id: '2', name: 'same', n: 2 },
      { id: '3', name: 'last', n: 4 },
    ]);
  });

  test('bring the fields that any of them has; a row without one has NULL there', async () => {
    await scene.db.query(`insert into ${scene.table} values (1, 'kept', 1)`);
    await run([{ id: 1, n: 2 }]);
    await run([
      { id: 2, n: undefined, name: null },
      { id: 3, n: 3 },
    ]);
    expect(await table()).toEqual([
      { id: '1', name: 'kept', n: 2 },
      { id: '2', name: null, n: null },
      { id: '3', name: null, n: 3 },
    ]);
  });

  test('may be none: then the server is asked for nothing but a session', async () => {
    const done = await run([]);
    expect([done.report, done.counts.rowsRead]).toEqual([null, 0]);
    await run([{ id: 1 }]);
    const sql = `select count(*)::int as runs from etl.run`;
    const [before] = await scene.db.query(sql);
    await run([]);
    expect(await scene.db.query(sql)).toEqual([before]);
  });

  test('may come from a generator, or an API, one by one', async () => {
    async function* pages(): AsyncGenerator<object> {
      for (let id = 0; id < 300; id++) {
        if (id % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        yield { id, name: `row ${id}` };
      }
    }
    expect((await run(pages())).counts.inserted).toBe(300);
    expect((await run(new Set([{ id: 1, name: 'other' }]))).counts.updated).toBe(1);
  });

  test('are loaded from several files, by workers of their own threads, where they are many', async () => {
    const rows = LIMITS.spoolFileRowsMax + 10;
    function* many(): Generator<object> {
      for (let at = 0; at < rows; at++) yield { id: at % (rows - 5), n: at < rows - 5 ? 1 : 2 };
    }
    const done = await run(many(), { settings: { threads: 'always' } });
    expect(done.report?.loads[0]?.files).toHaveLength(2);
    expect(done.counts.rowsRead).toBe(rows);
    const sql = `select n, count(*)::int, max(id)::int from ${scene.table} group by n order by n`;
    expect(await scene.db.query(sql)).toEqual([
      { n: 1, count: rows - 10, max: rows - 6 },
      { n: 2, count: 5, max: 4 },
    ]);
  });

  test('may have columns by JSON pointer, other names, and a policy', async () => {
    const json = { columns: { id: '/meta/id', name: '/who/0', n: '/n' } };
    const rows = [{ meta: { id: 1 }, who: ['a', 'b'], n: 1, left: 'out' }];
    await run(rows, { json });
    await run([{ key: 1, title: 'b' }], { columns: { key: 'id', title: 'name' } });
    const ignored = await run([{ id: 1, name: 'c' }], { onConflict: 'ignore' });
    expect(ignored.counts).toMatchObject({ inserted: 0, unchanged: 1 });
    expect(await table()).toEqual([{ id: '1', name: 'b', n: 1 }]);
  });
});

describe('values', () => {
  test('arrive as they are', async () => {
    const made = `${scene.table}_values`;
    await scene.db.query(`create table ${made} (
      id integer primary key, big bigint, exact numeric, real double precision, single real,
      yes boolean, at timestamptz, day date, early timestamptz, late date, raw bytea, doc jsonb,
      plain json, tags text[], docs jsonb[], numbers double precision[], money numeric, word text)`);
    const row = {
      id: 1,
      big: 9007199254740993n,
      exact: 12345678901234567890123n,
      real: 0.1,
      single: NaN,
      yes: false,
      at: new Date('2026-03-01T12:34:56.789Z'),
      day: new Date('2026-03-01T00:00:00Z'),
      early: new Date('-000043-03-15T12:00:00Z'),
      late: new Date('+012345-06-07T00:00:00Z'),
      raw: Buffer.from([0, 1, 254, 255]),
      doc: { a: [1, 'ü', null], at: new Date(0) },
      plain: 'text',
      tags: ['a', 'b,"c"', null],
      docs: [{ a: 1 }, [2]],
      numbers: new Float64Array([0.5, -Infinity]),
      money: { toJSON: () => '12.50' },
      word: 'tab\tline\nback\\slash "quoted" 😀',
    };
    await run([row], { table: made });
    const sql = `select big::text, exact::text, real::text, single::text, yes, at::text, day::text,
      early::text, late::text, raw::text, doc::text, plain::text, tags::text, docs::text,
      numbers::text, money::text, word from ${made}`;
    await scene.db.query(`set timezone to 'UTC'`);
    expect(await scene.db.query(sql)).toEqual([
      {
        big: '9007199254740993',
        exact: '12345678901234567890123',
        real: '0.1',
        single: 'NaN',
        yes: false,
        at: '2026-03-01 12:34:56.789+00',
        day: '2026-03-01',
        early: '0044-03-15 12:00:00+00 BC',
        late: '12345-06-07',
        raw: '\\x0001feff',
        doc: '{"a": [1, "ü", null], "at": "1970-01-01T00:00:00.000Z"}',
        plain: '"text"',
        tags: '{a,"b,\\"c\\"",NULL}',
        docs: '{"{\\"a\\": 1}",[2]}',
        numbers: '{0.5,-Infinity}',
        money: '12.50',
        word: row.word,
      },
    ]);
  });

  test('give a new table its types', async () => {
    const made = `${scene.table}_made`;
    const rows = [{ id: 1n, at: new Date(0), raw: Buffer.from('x'), ok: true, doc: { a: 1 } }];
    const types = { doc: 'jsonb' };
    await run([...rows, { id: 2n, raw: null }], { table: made, key: ['id'], types });
    const sql = `select column_name, data_type from information_schema.columns
                  where table_name = $1 order by ordinal_position`;
    const columns = await scene.db.query(sql, [made]);
    expect(columns.map(({ data_type: type }) => type)).toEqual([
      ...['bigint', 'timestamp with time zone', 'bytea', 'boolean', 'jsonb'],
    ]);
  });
});

describe('a bad row', () => {
  test('stops the call before anything is loaded, and is named by its index', async () => {
    const rows = [{ id: 1 }, { id: 2, n: 1 }, { id: 3, n: 'many' }];
    const refused = await run(rows).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'ETL_ROW_INVALID',
      record: { facts: { index: 2, column: 'n', value: 'many' } },
      message: expect.stringMatching(/^rows\[2\], column "n": /) as string,
    });
    expect(JSON.stringify(refused)).not.toContain('.jsonl');
    await expect(run([{ id: 1 }, { id: 2, n: () => 1 }])).rejects.toMatchObject({
      record: { facts: { index: 1, column: 'n' } },
    });
    await expect(run([{ id: 1 }, { id: 2, n: 100 }])).rejects.toMatchObject({
      code: 'ETL_ROW_INVALID',
    });
    expect(await table()).toEqual([]);
  });

  test('is quarantined, and the others are saved', async () => {
    const cyclic: Record<string, unknown> = { id: 4 };
    cyclic['name'] = cyclic;
    const done = await run(
      [
        { id: 0, name: 'good', n: 0 },
        { id: 1, name: 'no number', n: 'many' },
        { id: null, name: 'no key', n: 1 },
        { id: 3, name: 'line\nbreak, "quoted"', n: 3 },
        cyclic,
        { id: 5, name: 'refused by the table', n: 100 },
        { id: 6, name: 'nul \u0000', n: 6 },
        'no object' as unknown as object,
        { id: 8, name: 'good', n: 8 },
      ],
      QUARANTINE,
    );
    expect(done.counts).toEqual({
      ...{ rowsRead: 9, inserted: 3, updated: 0, unchanged: 0, superseded: 0, rejected: 6 },
    });
    expect(done.rejected.map(({ index, error }) => [index, error.facts.column])).toEqual([
      [1, 'n'],
      [2, 'id'],
      [4, 'name'],
      [5, 'n'],
      [6, 'name'],
      [7, undefined],
    ]);
    for (const { index, error } of done.rejected) {
      expect(error).toMatchObject({ code: 'ETL_ROW_INVALID', facts: { index } });
      expect(error.sentence).toMatch(/\.$/);
      expect(error.sentence).not.toMatch(/etl_|jsonl|\d+\.json/);
    }
    expect(done.report?.status).toBe('rejected-rows');
    expect(done.report?.loads[0]?.files[0]?.rejects).toBeNull();
    expect((await table()).map(({ id }) => id)).toEqual(['0', '3', '8']);
  });

  test('may be every row', async () => {
    const done = await run(
      [
        { id: 1, n: 'x' },
        { id: 2, n: 'y' },
      ],
      QUARANTINE,
    );
    expect([done.counts.rejected, done.rejected.length]).toEqual([2, 2]);
    const unspoken = await run([{ f: () => 1 }], QUARANTINE);
    expect([unspoken.counts.rejected, unspoken.report]).toEqual([1, null]);
    expect(await table()).toEqual([]);
  });

  test('is told up to a limit, and counted beyond', async () => {
    const count = LIMITS.rejectedRowsToldMax + 5;
    const rows = Array.from({ length: count }, (_, id) => ({ id, n: () => id }));
    const done = await run(rows, QUARANTINE);
    expect([done.counts.rejected, done.rejected.length]).toEqual([count, count - 5]);
    expect(done.rejected.at(-1)?.index).toBe(count - 6);
  });

  test('may be one too many', async () => {
    const settings = { onError: 'quarantine', maxErrors: 1 } as const;
    const rows = [
      { id: 1, n: 'x' },
      { id: 2, n: 'y' },
      { id: 3, n: 3 },
    ];
    await expect(run(rows, { settings })).rejects.toMatchObject({ code: 'ETL_LIMIT' });
    expect(await table()).toEqual([]);
  });
});

describe('a name', () => {
  test('is loaded once, as long as its rows are the same', async () => {
    const rows = [{ id: 1, name: 'a' }];
    const named = { name: 'page 1' };
    expect((await run(rows, {}, named)).counts.inserted).toBe(1);
    const again = await run(rows, {}, named);
    expect([again.skipped, again.counts.rowsRead, again.report?.status]).toEqual([
      true,
      0,
      'loaded',
    ]);
    const changed = await run([{ id: 1, name: 'b' }], {}, named);
    expect([changed.skipped, changed.counts.updated]).toEqual([false, 1]);
    expect(await ledger()).toEqual(['rows:page 1#1', 'rows:page 1#1']);
  });

  test('is another for each call that gives none', async () => {
    const rows = [{ id: 1, name: 'a' }];
    await run(rows, { onConflict: 'append', table: `${scene.table}_log`, createTable: true });
    const done = await run(rows, { onConflict: 'append', table: `${scene.table}_log` });
    expect([done.skipped, done.counts.inserted]).toEqual([false, 1]);
  });

  test('of which some rows are others is loaded again, all of it, in order', async () => {
    const loader = await openUpsertWith(target(), { spoolFolder }, { fileRowsMax: 10 });
    const named = { name: 'large' };
    const rows = Array.from({ length: 11 }, (_, at) => ({ id: at, n: 1 }));
    try {
      expect((await loader.upsert(rows, named)).report?.loads[0]?.files).toHaveLength(2);
      expect((await loader.upsert(rows, named)).skipped).toBe(true);
      // Of the first file alone: the row of the second one comes later, and wins.
      rows[0] = { id: 10, n: 2 };
      const again = await loader.upsert(rows, named);
      expect([again.skipped, again.counts.rowsRead]).toEqual([false, 11]);
      expect((await table()).filter(({ n }) => n !== 1)).toEqual([]);
    } finally {
      await loader.close();
    }
  });

  test('of which some rows are others is loaded again in part, where all rows stay', async () => {
    const log = { table: `${scene.table}_log`, onConflict: 'append' } as const;
    await scene.db.query(`create table ${log.table} (id integer)`);
    const loader = await openUpsertWith(target(log), { spoolFolder }, { fileRowsMax: 2 });
    try {
      await loader.upsert([{ id: 1 }, { id: 2 }, { id: 3 }], { name: 'log' });
      const again = await loader.upsert([{ id: 1 }, { id: 2 }, { id: 4 }], { name: 'log' });
      expect(again.counts.rowsRead).toBe(1);
    } finally {
      await loader.close();
    }
  });

  test('lets a call that failed half-way be called again, though all rows stay', async () => {
    const log = {
      table: `${scene.table}_log`,
      onConflict: 'append',
      strategy: 'sequential',
    } as const;
    await scene.db.query(`create table ${log.table} (id integer check (id <> 5))`);
    const loader = await openUpsertWith(target(log), { spoolFolder }, { fileRowsMax: 2 });
    const rows = Array.from({ length: 7 }, (_, id) => ({ id }));
    const ids = async (): Promise<unknown[]> =>
      (await scene.db.query(`select id from ${log.table} order by id`)).map(({ id }) => id);
    const failed = async (options: UpsertOptions): Promise<ErrorRecord> => {
      const error: unknown = await loader
        .upsert(rows, options)
        .catch((refused: unknown) => refused);
      expect(error).toBeInstanceOf(EtlError);
      return (error as EtlError).record;
    };
    try {
      await failed({ name: 'half' });
      expect(await ids()).toEqual([0, 1, 2, 3]);
      await scene.db.query(`truncate ${log.table}; truncate etl.ledger`);
      // A call without a name tells the one under which it can go on.
      const { remedy } = await failed({});
      const name = /name: '([^']+)'/.exec(remedy)?.[1] ?? '';
      await scene.db.query(`alter table ${log.table} drop constraint ${log.table}_id_check`);
      const rest = await loader.upsert(rows, { name });
      expect(rest.counts.inserted).toBe(3);
      expect(await ids()).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect((await loader.upsert(rows, { name })).skipped).toBe(true);
    } finally {
      await loader.close();
    }
  });

  test('has a length', async () => {
    await expect(run([{}], {}, { name: '' })).rejects.toMatchObject({ code: 'ETL_USAGE' });
    const name = 'x'.repeat(LIMITS.rowsNameCharactersMax + 1);
    await expect(run([{}], {}, { name })).rejects.toMatchObject({ code: 'ETL_USAGE' });
  });
});

describe('a loader', () => {
  async function backends(): Promise<number[]> {
    const rows = await scene.db.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name like 'etl%'
          and datname = current_database() order by pid`,
    );
    return rows.map(({ pid }) => pid);
  }

  test('keeps three connections from call to call', async () => {
    await withLoader(async (loader) => {
      await loader.upsert([{ id: 1 }]);
      const first = await backends();
      expect(first).toHaveLength(3);
      for (let id = 2; id < 6; id++) await loader.upsert([{ id }]);
      expect(await backends()).toEqual(first);
      const locks = `select count(*)::int as held from pg_locks where locktype = 'advisory'
          and database = (select oid from pg_database where datname = current_database())`;
      expect(await scene.db.query(locks)).toEqual([{ held: 0 }]);
    });
    expect(await table()).toHaveLength(5);
  });

  test('takes calls that come at once one after another', async () => {
    await withLoader(async (loader) => {
      const calls = Array.from({ length: 8 }, (_, n) =>
        loader.upsert([
          { id: 1, n },
          { id: n + 2, n },
        ]),
      );
      const done = await Promise.all(calls);
      expect(done.map(({ counts }) => counts.inserted)).toEqual([2, 1, 1, 1, 1, 1, 1, 1]);
      expect(await backends()).toHaveLength(3);
    });
    expect((await table())[0]).toEqual({ id: '1', name: null, n: 7 });
  });

  test('goes on after a call that failed, and after its sessions were lost', async () => {
    await withLoader(async (loader) => {
      await loader.upsert([{ id: 1 }]);
      await expect(loader.upsert([{ id: 2, n: 'x' }])).rejects.toMatchObject({
        code: 'ETL_ROW_INVALID',
      });
      await loader.upsert([{ id: 3 }]);
      await scene.db.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where pid = any ($1)`,
        [await backends()],
      );
      await loader.upsert([{ id: 4 }]);
    });
    expect((await table()).map(({ id }) => id)).toEqual(['1', '3', '4']);
  });

  test('sees what became of the table between two calls', async () => {
    await withLoader(async (loader) => {
      await loader.upsert([{ id: 1, name: '1' }]);
      await scene.db.query(`alter table ${scene.table} alter name type integer using name::int`);
      await loader.upsert([{ id: 2, name: '2' }]);
      await scene.db.query(`drop table ${scene.table}`);
      await scene.db.query(`create table ${scene.table} (id text primary key, name text)`);
      await loader.upsert([{ id: 'a', name: 'b' }]);
    });
    expect(await table()).toEqual([{ id: 'a', name: 'b' }]);
  });

  test('is closed once, and for good', async () => {
    const loader = await openUpsert(target());
    const last = loader.upsert([{ id: 1 }]);
    await loader.close();
    expect((await last).counts.inserted).toBe(1);
    await loader.close();
    await expect(loader.upsert([{ id: 2 }])).rejects.toMatchObject({ code: 'ETL_USAGE' });
    expect(await backends()).toEqual([]);
  });

  test('refuses a target that makes no sense', async () => {
    const wrong = (more: object): Promise<unknown> => openUpsert(target(more));
    for (const more of [
      { key: [] },
      { onConflict: 'newest' },
      { files: ['a.csv'] },
      { csv: {} },
      { json: { records: '/a' } },
      { settings: { rejects: 'here' } },
      { nonsense: 1 },
    ]) {
      await expect(wrong(more)).rejects.toMatchObject({ code: 'ETL_JOB_INVALID' });
    }
    const nowhere = 'postgres://nobody@127.0.0.1:1/x';
    await expect(openUpsert({ table: 't', databaseUrl: nowhere })).rejects.toMatchObject({
      code: 'ETL_CONNECTION',
    });
  });
});

describe('an abort', () => {
  test('stops a call in the middle of its merge, and nothing of it stays', async () => {
    const gated = `${scene.table}_gated`;
    await scene.db.query(
      `create table ${gated} (id bigint primary key, name text check (fault('merge', name)))`,
    );
    const gate = await scene.db.client();
    await gate.query(closeGateSql('merge'));
    const stop = new AbortController();
    const rows = [{ id: 1, name: 'merge gate' }];
    const call = run(rows, { table: gated }, { signal: stop.signal });
    await untilWaiting(scene.db, 'merge');
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: 'ETL_ABORTED' });
    await gate.end();
    expect(await scene.db.query(`table ${gated}`)).toEqual([]);
  });

  test('that came before stops the call at once', async () => {
    const call = run([{ id: 1 }], {}, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: 'ETL_ABORTED' });
    expect(await table()).toEqual([]);
  });
});

describe('a table that another run holds', () => {
  const setUp = async () => {
    const gated = `${scene.table}_held`;
    await scene.db.query(
      `create table ${gated} (id bigint primary key, name text check (fault('merge', name)))`,
    );
    const gate = await scene.db.client();
    await gate.query(closeGateSql('merge'));
    const first = upsert(target({ table: gated }), [{ id: 1, name: 'merge gate' }]);
    await untilWaiting(scene.db, 'merge');
    return { gated, gate, first };
  };

  test('is waited for', async () => {
    const { gated, gate, first } = await setUp();
    const second = upsert(target({ table: gated }), [{ id: 1, name: 'second' }]);
    await gate.end();
    expect((await first).counts.inserted).toBe(1);
    expect((await second).counts.updated).toBe(1);
  });

  test('is not, where the settings say so', async () => {
    const { gated, gate, first } = await setUp();
    const second = upsert(target({ table: gated, settings: { wait: 0 } }), [{ id: 1 }]);
    await expect(second).rejects.toMatchObject({ code: 'ETL_LOCKED' });
    await gate.end();
    await first;
  });
});
