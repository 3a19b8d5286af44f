import { describe, expect, test } from 'vitest';
import type { UpsertOptions } from '../../src/index.ts';
import { EtlError, type ErrorRecord } from '../../src/errors.ts';
import { LIMITS } from '../../src/limits.ts';
import { openUpsertWith } from '../../src/run/upsert/upsert.ts';
import { useUpserts } from '../support/upsert-scene.ts';

/** Rows in memory, through the library's door. */
const upserts = useUpserts();
const { scene, target, run, table, ledger } = upserts;

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
    const loader = await openUpsertWith(
      target(),
      { spoolFolder: upserts.spoolFolder },
      { fileRowsMax: 10 },
    );
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
    const loader = await openUpsertWith(
      target(log),
      { spoolFolder: upserts.spoolFolder },
      { fileRowsMax: 2 },
    );
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
    const loader = await openUpsertWith(
      target(log),
      { spoolFolder: upserts.spoolFolder },
      { fileRowsMax: 2 },
    );
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
