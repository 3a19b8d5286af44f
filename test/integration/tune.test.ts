import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { tune, type TuneOptions } from '../../benchmarks/tune/tune.ts';
import { defineJob, silentLog, type Job } from '../../src/index.ts';
import { tableDigest } from '../../tools/oracle.ts';
import { useScene } from '../support/scene.ts';

/**
 * A table with all that a careless copy would reach through: a sequence, a trigger that writes to
 * another table, a foreign key.
 */
const scene = useScene(
  (table) => `
    create table ${table}_parent (id int primary key);
    insert into ${table}_parent values (1);
    create table ${table}_audit (what text);
    create table ${table} (id int primary key, name text, serial_number serial,
                           parent int default 1 references ${table}_parent);
    create index on ${table} (name);
    insert into ${table} (id, name) select n, 'before ' || n from generate_series(1, 500) n;
    create function ${table}_note() returns trigger language plpgsql as
      $$ begin insert into ${table}_audit values ('changed'); return new; end $$;
    create trigger note after insert or update on ${table}
      for each row execute function ${table}_note()`,
);

function jobOf(load: Partial<Job['loads'][number]>, settings: Partial<Job['settings']> = {}): Job {
  return defineJob(
    { settings, loads: [{ table: scene.table, files: ['*.csv'], ...load }] },
    scene.folder,
  );
}

function options(change: Partial<TuneOptions> = {}): TuneOptions {
  return { databaseUrl: scene.db.url, log: silentLog, minutesMax: 0, ...change };
}

async function write(rows: number): Promise<void> {
  const lines = (file: number) =>
    Array.from({ length: rows }, (_, row) => `${file * rows * 0.5 + row},n${row}\n`);
  await scene.write({
    'a.csv': `id,name\n${lines(0).join('')}`,
    'b.csv': `id,name\n${lines(1).join('')}`,
  });
}

/** All that a user would miss, or find later and wonder. */
async function traces() {
  const { table } = scene;
  const [rows] = await scene.db.query(tableDigest(table));
  const [audit] = await scene.db.query(tableDigest(`${table}_audit`));
  const [sequence] = await scene.db.query(`select last_value from ${table}_serial_number_seq`);
  const schemas = await scene.db.query(
    `select nspname from pg_namespace where nspname !~ '^pg_' order by nspname`,
  );
  const folders = (await readdir(tmpdir())).filter((name) => name.startsWith('etl-tune-'));
  return { rows, audit, sequence, schemas, folders };
}

describe('tune', () => {
  test('recommends a concurrency that it has measured, and leaves no trace', async () => {
    await write(300);
    const before = await traces();
    const told: string[] = [];
    const { settings, choices, runs, sample, notices } = await tune(
      jobOf({}, { concurrency: 2 }),
      options({ onProgress: ({ sentence }) => told.push(sentence) }),
    );
    expect(await traces()).toEqual(before);
    const [choice] = choices;
    expect(choice).toMatchObject({ setting: 'concurrency', current: 2 });
    const values = choice?.candidates.map(({ value }) => value) ?? [];
    expect(values).toEqual([1, 2]);
    expect(values).toContain(settings.concurrency);
    expect(settings.concurrency).toBe(choice?.recommended);
    expect(runs.map(({ round }) => round)).toEqual([0, 1, 1]);
    expect(runs.map(({ rows }) => rows)).toEqual([600, 600, 600]);
    expect(runs.every(({ wallMs, rssPeakBytes }) => wallMs > 0 && rssPeakBytes > 0)).toBe(true);
    expect(sample.files).toBe(2);
    expect(notices).toEqual([`public.${scene.table}: measured without its row trigger note.`]);
    expect(told).toHaveLength(1 + runs.length);
  });

  test('measures a load that creates its table, by the row path, and creates it nowhere', async () => {
    await write(300);
    const before = await traces();
    const table = `${scene.table}_new`;
    const job = defineJob(
      {
        settings: { subBatchSize: 100 },
        loads: [{ table, files: ['a.csv'], key: ['id'], csv: { comment: '#' } }],
      },
      scene.folder,
    );
    const { settings, choices, runs } = await tune(job, options());
    expect(await traces()).toEqual(before);
    expect(await scene.db.query('select to_regclass($1) as found', [table])).toEqual([
      { found: null },
    ]);
    expect(choices.map(({ setting }) => setting)).toEqual(['subBatchSize']);
    expect([10, 100, 500]).toContain(settings.subBatchSize);
    expect(runs.map(({ rows }) => rows)).toEqual([300, 300, 300, 300]);
  });

  test('says so where there is nothing to choose', async () => {
    await write(10);
    const { settings, runs, notices } = await tune(jobOf({ files: ['a.csv'] }), options());
    expect({ settings, runs }).toEqual({ settings: {}, runs: [] });
    expect(notices.join(' ')).toContain('nothing to choose');
  });

  test('leaves no trace when it is interrupted, nor when a load fails', async () => {
    await write(300);
    const before = await traces();
    const abort = new AbortController();
    const interrupted = tune(
      jobOf({}),
      options({
        signal: abort.signal,
        onProgress: ({ done }) => {
          if (done === 1) abort.abort(new Error('enough'));
        },
      }),
    );
    await expect(interrupted).rejects.toThrow('enough');
    expect(await traces()).toEqual(before);
    await scene.write({ 'b.csv': 'id,name\n1,a\n2,b,c\n' });
    await expect(tune(jobOf({}), options())).rejects.toMatchObject({
      name: 'EtlError',
    });
    expect(await traces()).toEqual(before);
  });

  test('drops what a killed one has left, but not what another one uses', async () => {
    await write(10);
    const [dead, alive] = ['etl_tune_00000000dead', 'etl_tune_0000000a11fe'];
    const other = await scene.db.client();
    for (const schema of [dead, `${dead}_ledger`, alive]) {
      await other.query(`create schema ${schema}`);
    }
    await other.query(`select pg_advisory_lock(hashtext('etl tune'), hashtext($1))`, [alive]);
    await tune(jobOf({ files: ['a.csv'] }), options());
    const left = await scene.db.query(
      `select nspname from pg_namespace where nspname like 'etl\\_tune%'`,
    );
    expect(left).toEqual([{ nspname: alive }]);
    await other.query(`drop schema ${alive}`);
    await other.end();
  });
});
