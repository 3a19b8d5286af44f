import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/target/connect.ts';
import { createFresh } from '../../src/target/fresh-table.ts';
import { readTable } from '../../src/target/read-table.ts';
import { createStaging } from '../../src/target/staging.ts';
import { stagingLayout } from '../../src/target/staging-layout.ts';
import { expectNoLeaks } from '../support/database.ts';
import { load } from '../support/load.ts';
import { createWorkplace, type Workplace } from '../support/table-pair.ts';

/** How the contents of documents are kept, in the table and on their way to it. */
let place: Workplace;

beforeAll(async () => {
  place = await createWorkplace();
  await mkdir(join(place.folder, 'pages'));
  for (let page = 1; page <= 3; page++) {
    await writeFile(join(place.folder, 'pages', `${page}.html`), contentOf(page));
  }
});
afterEach(() => expectNoLeaks(place.db.url));
afterAll(() => place.remove());

/** 20 kB that any compression makes small. */
function contentOf(page: number): string {
  return `<p>page ${page}</p>\n`.repeat(1_300);
}

function loadPages(job: ReturnType<typeof jobOf>) {
  return load(place.db.url, job, { cwd: place.folder });
}

function jobOf(table: string, more: object = {}) {
  const documents = { path: '{id}.html', columns: { html: 'content', raw: 'content' } } as const;
  return {
    loads: [{ files: ['pages/*.html'], table, key: ['id'], documents, types: BYTES, ...more }],
  };
}
const BYTES = { raw: 'bytea' };

/** By column: its storage (x: compressed, e: not), its method, and whether values are as long as they are. */
async function kept(table: string): Promise<unknown> {
  const columns = await place.db.query(
    `select attname as name, attstorage::text as storage, attcompression::text as method
       from pg_attribute where attrelid = '${table}'::regclass and attname in ('html', 'raw')`,
  );
  const [whole] = await place.db.query(
    `select bool_and(pg_column_size(html) = octet_length(html)) as html,
            bool_and(pg_column_size(raw) = octet_length(raw)) as raw from ${table}`,
  );
  return { columns, whole };
}

describe('contents of documents', () => {
  it('are kept as the job says, through the plan, whole', async () => {
    const job = jobOf('asked', { compression: { html: 'none', raw: 'pglz' } });
    const { plan, report } = await loadPages(job);
    expect(plan.loads[0]?.table.create).toContain('raw bytea compression pglz');
    expect(report.loads[0]?.totals).toMatchObject({ inserted: 3 });
    expect(await kept('asked')).toEqual({
      columns: [
        { name: 'html', storage: 'e', method: '' },
        { name: 'raw', storage: 'x', method: 'p' },
      ],
      whole: { html: true, raw: false },
    });
    const rows = await place.db.query('select id, html, raw from asked order by id');
    expect(rows).toEqual(
      [1, 2, 3].map((page) => {
        const html = contentOf(page);
        return { id: String(page), html, raw: Buffer.from(html) };
      }),
    );
  });

  it('are as the server keeps them where nobody says, though they are staged uncompressed', async () => {
    await loadPages(jobOf('usual'));
    const [lz4] = await place.db.query(
      `select 'lz4' = any (enumvals) as there from pg_settings
        where name = 'default_toast_compression'`,
    );
    const method = lz4?.['there'] === true ? 'l' : '';
    expect(await kept('usual')).toEqual({
      columns: [
        { name: 'html', storage: 'x', method },
        { name: 'raw', storage: 'x', method },
      ],
      whole: { html: false, raw: false },
    });
  });

  it('keep their storage in the twin of a new table, and have their own in staging', async () => {
    const job = jobOf('twins', { compression: { html: 'none' } });
    const { plan } = await loadPages(job);
    const files = plan.loads[0]?.files ?? [];
    const setup = { applicationName: 'storages', connectTimeoutMs: 10_000, session: {} };
    const connection = await connect({ databaseUrl: place.db.url, ...setup });
    const table = await readTable(connection, { schema: 'public', name: 'twins' });
    if (table === null) throw new Error('the table was created');
    await createFresh(connection, table, 'public.twin');
    const staging = { sqlName: 'pg_temp.staged', kind: 'temp', fileColumn: false } as const;
    await createStaging(connection, stagingLayout(table.columns, files, staging).table, 0);
    const storages = await connection.query(
      `select attrelid::regclass::text as table, attname as name, attstorage::text as storage
         from pg_attribute where attrelid in ('twin'::regclass, 'pg_temp.staged'::regclass)
          and attnum > 0 and atttypid in ('text'::regtype, 'bytea'::regtype)
        order by attrelid::regclass::text desc, attnum`,
    );
    await connection.query('drop table twin');
    await connection.end();
    expect(storages).toEqual([
      { table: 'twin', name: 'html', storage: 'e' },
      { table: 'twin', name: 'raw', storage: 'x' },
      { table: 'staged', name: 'c1', storage: 'e' },
      { table: 'staged', name: 'c2', storage: 'e' },
    ]);
  });

  it('are told where a table that exists keeps them otherwise, with what changes that', async () => {
    await place.db.query('create table held (id text primary key, html text, raw bytea)');
    const job = jobOf('held', { compression: { html: 'none' }, types: {} });
    const first = await loadPages(job);
    const told = first.plan.loads[0]?.notices.find((notice) => notice.includes('html by pglz'));
    const alter = /(?<=For those that come from now on: ).*$/.exec(told ?? '')?.[0];
    expect(alter).toBe('alter table public.held alter column html set storage external;');
    await place.db.query(`${alter} truncate held`);
    const second = await load(place.db.url, job, { cwd: place.folder, force: true });
    expect(second.plan.loads[0]?.notices.join()).not.toContain('keeps large values of html');
    expect(await kept('held')).toMatchObject({ whole: { html: true, raw: false } });
  });
});
