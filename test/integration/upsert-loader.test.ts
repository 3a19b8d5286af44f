import { describe, expect, test } from 'vitest';
import { openUpsert, upsert } from '../../src/index.ts';
import { closeGateSql, untilWaiting } from '../support/faults.ts';
import { useUpserts } from '../support/upsert-scene.ts';

/** A loader's sessions, from call to call; calls that are stopped, or wait for another run. */
const { scene, target, run, withLoader, table } = useUpserts();

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
