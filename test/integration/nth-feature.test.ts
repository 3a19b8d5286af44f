import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import type { jobSchema } from '../../src/job/schema.ts';
import type { RunParts } from '../../src/run/run-context.ts';
import { expectNoLeaks } from '../support/database.ts';
import { planJob, runPlan } from '../support/load.ts';
import { throughProxy } from '../support/nth-fault.ts';
import { useScene } from '../support/scene.ts';

/**
 * As nth-statement.test.ts, of loads with further features: whatever backend is killed before it gets its
 * statement, or once it has executed it, the tables end, after the next run at the latest, as a run
 * without a fault leaves them.
 */
const scene = useScene(() => '');

type LoadInput = z.input<typeof jobSchema>['loads'][number];

interface Featured {
  readonly load: (table: string) => Omit<LoadInput, 'table'>;
  readonly files: Readonly<Record<string, string>>;
  /** Makes the tables as they are before the load. */
  readonly create: (table: string) => string;
  /** Makes them so again, and keeps the tables that the load has not made: one plan serves all runs. */
  readonly reset: (table: string) => string;
  /** All that the load leaves, as text. */
  readonly digest: (table: string) => string;
  readonly settings?: z.input<typeof jobSchema>['settings'];
  readonly counts: RegExp;
}

const CSV = {
  'f0.csv': 'id,name,n\n1,ada,1\n2,ben,1\n3,ada,1\n',
  'f1.csv': 'id,name,n\n3,carl,2\n4,dora,2\n5,ben,2\n',
  'f2.csv': 'id,name,n\n5,eve,3\n6,ada,3\n',
};

const TEXTS = (table: string, columns = 'id, name, n'): string =>
  `coalesce((select string_agg(row(${columns})::text, ' ' order by row(${columns})::text) from ${table} t), '')`;

const WRITES = /^\s*(?!select|show|begin$|set |prepare etl)\w/i;

const LOADS: Readonly<Record<string, Featured>> = {
  'further tables with a bad row': {
    load: (table) => ({
      files: ['*.csv'],
      onConflict: 'append',
      targets: [{ table: `${table}_names`, onConflict: 'update', columns: { id: null } }],
    }),
    files: { ...CSV, 'f1.csv': `${CSV['f1.csv']}x,bad,2\n` },
    create: (table) => `create table ${table} (id int, name text, n int);
      create table ${table}_names (name text primary key, n int)`,
    reset: (table) => `truncate ${table}, ${table}_names`,
    digest: (table) => `select ${TEXTS(table)} || ' / ' || ${TEXTS(`${table}_names`, 'name, n')}`,
    settings: { onError: 'quarantine' },
    counts: WRITES,
  },
  'rows looked up and created': {
    load: (table) => ({
      files: ['*.csv'],
      key: ['id'],
      lookups: [
        {
          column: 'name',
          table: `${table}_people`,
          match: 'name',
          into: 'person',
          insertMissing: true,
        },
      ],
    }),
    files: CSV,
    create: (
      table,
    ) => `create table ${table}_people (id int generated always as identity primary key, name text unique);
      create table ${table} (id int primary key, person int, n int)`,
    reset: (table) => `truncate ${table}, ${table}_people restart identity`,
    digest: (table) =>
      `select (select string_agg(t.id || ' ' || p.name || ' ' || t.n, ', ' order by t.id)
                 from ${table} t join ${table}_people p on p.id = t.person)
           || (select string_agg(name, ', ' order by name) from ${table}_people)`,
    counts: WRITES,
  },
  'documents in a table that is made': {
    load: () => ({ files: ['*.html'], documents: { path: '{id}.html' }, key: ['id'] }),
    files: { '1.html': 'one', '2.html': 'two', '3.html': 'three' },
    create: () => '',
    reset: (table) => `drop table if exists ${table}`,
    digest: (table) => `select ${TEXTS(table, 'id, content')}`,
    counts: /^/,
  },
  'documents in an empty table that exists': {
    load: () => ({ files: ['*.html'], documents: { path: '{id}.html' }, key: ['id'] }),
    files: { '1.html': 'one', '12.html': 'twelve', '2.html': 'two' },
    create: (table) => `create table ${table} (id int primary key, content text)`,
    reset: (table) => `truncate ${table}`,
    digest: (table) => `select ${TEXTS(table, 'id, content')}`,
    counts: WRITES,
  },
  'an index on a table that exists': {
    load: () => ({ files: ['*.csv'], key: ['id'], indexes: [{ columns: ['name'] }] }),
    files: CSV,
    create: (table) => `create table ${table} (id int primary key, name text, n int);
      insert into ${table} values (2, 'old', 0)`,
    reset: (table) => `do $$ declare made regclass; begin
        for made in select indexrelid from pg_index
                     where indrelid = '${table}'::regclass and not indisprimary loop
          execute format('drop index %s', made);
        end loop; end $$;
      truncate ${table};
      insert into ${table} values (2, 'old', 0)`,
    digest: (table) => `select ${TEXTS(table)}
      || (select string_agg(indexrelid::regclass || ' ' || indisvalid, ', ' order by indexrelid::regclass::text)
            from pg_index where indrelid = '${table}'::regclass)`,
    counts: WRITES,
  },
};

const PARTS: Partial<RunParts> = {
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 5))),
};

test.for(
  Object.entries(LOADS).flatMap(([name, featured]) =>
    (['kill-before', 'kill-after'] as const).map((fate) => [name, fate, featured] as const),
  ),
)('%s: %s the n-th statement', async ([name, fate, featured]) => {
  const { db, table, folder } = scene;
  for (const [file, content] of Object.entries(featured.files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
  }
  const loads = [{ table, ...featured.load(table) }];
  const job = { settings: { concurrency: 2, ...featured.settings }, loads };
  const plan = () => planJob(db.url, job, { cwd: folder });
  /** Of the tables, and of what the ledger knows of the files: the next run finds nothing to load. */
  const digest = async (): Promise<unknown> => [
    await db.query(featured.digest(table)),
    await db.query(
      `select distinct path, bytes, mtime_ms, content_hash, fingerprint
         from etl.ledger where starts_with(path, $1) order by path`,
      [folder],
    ),
  ];
  const whole = featured.settings?.onError === 'quarantine' ? 'rejected-rows' : 'loaded';
  await db.query(featured.create(table));
  const planned = await plan();
  const clean = await runPlan(db.url, planned, {});
  expect([clean.status, clean.error]).toEqual([whole, null]);
  const expected = await digest();
  expect(JSON.stringify(expected)).not.toContain('null');
  const [again] = (await plan()).loads;
  expect(again?.files.filter(({ skip }) => skip === null)).toEqual([]);
  const run = throughProxy(db, fate, (statement) => featured.counts.test(statement));
  for (let nth = Number(process.env['ETL_FAULT_NTH'] ?? 1); ; nth++) {
    await db.query(`${featured.reset(table)}; truncate etl.ledger`);
    const { met, report } = await run(nth, planned, PARTS);
    if (report?.status !== whole) {
      const next = await runPlan(db.url, await plan(), {});
      expect([nth, next.error, report?.error?.remedy]).not.toEqual([nth, null, '']);
      expect([nth, next.error]).toEqual([nth, null]);
    }
    expect(await digest(), `${name}, ${fate} ${nth}: ${JSON.stringify(report?.error)}`).toEqual(
      expected,
    );
    await expectNoLeaks(db.url);
    if (!met || process.env['ETL_FAULT_NTH'] !== undefined) break;
  }
});
