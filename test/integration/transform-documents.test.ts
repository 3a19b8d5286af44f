import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob } from '../../src/job/define-job.ts';
import { LIMITS } from '../../src/limits.ts';
import { silentLog } from '../../src/log.ts';
import { load, type LoadOptions } from '../support/load.ts';
import { readRejects } from '../support/rejects.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';
import { sentDuring } from '../support/sent-statements.ts';

/** Documents that go through a module of the user's on their way into the table. */
const scene = useScene(() => 'select 1');

interface Asked {
  readonly settings?: Record<string, unknown>;
  readonly documents?: Record<string, unknown>;
  readonly options?: Partial<LoadOptions>;
  readonly [setting: string]: unknown;
}

/** Loads what lies in the folder; the module is given as its text. */
async function run(module: string, { options, ...asked }: Asked = {}) {
  await writeFile(join(scene.folder, 'turn.mjs'), module);
  const job = jobOf(asked);
  const { ended: done, statements } = await sentDuring(() =>
    load(scene.db.url, job, { cwd: scene.folder, ...options }),
  );
  const copies = statements.filter((sql) => /^copy .* from stdin/.test(sql));
  return { ...done, job, copies };
}

function jobOf({ settings, documents, ...rest }: Asked) {
  return {
    settings: { concurrency: 2, rejects: 'rejects', ...settings },
    loads: [
      {
        files: ['lake/*'],
        table: scene.table,
        key: ['id'],
        documents: { path: '{id}.html', ...documents },
        transform: 'turn.mjs',
        ...rest,
      },
    ],
  };
}

async function write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  await mkdir(join(scene.folder, 'lake'), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(scene.folder, 'lake', name), content);
  }
}

function rows(columns = '*') {
  return scene.db.query(`select ${columns} from ${scene.table} order by id`);
}

/** The title of a page, which must have one. */
const TITLES = `export default {
  columns: ['title'],
  transform: (rows, _, { reject }) => rows.map(({ content }) => {
    const [, title] = /<title>(.*?)<.title>/s.exec(content) ?? [];
    if (title === 'throws') throw new TypeError('no such title');
    return title === undefined ? reject('no title') : { title };
  }),
}`;

const page = (title: string): string => `<html><title>${title}</title>\t\\N\n</html>`;

describe('what a transform makes of documents', () => {
  test('goes to a table that is created, beside what the documents have', async () => {
    await write({ '2.html': page('ä'), '10.html': page('b\nc') });
    const { report, copies, plan } = await run(TITLES, {
      documents: { columns: { content: 'content', bytes: 'size' } },
    });
    expect(report).toMatchObject({ status: 'loaded', error: null });
    expect(copies).toHaveLength(plan.loads[0]?.units.length ?? 0);
    expect(await rows()).toEqual([
      { id: '2', content: page('ä'), bytes: String(Buffer.byteLength(page('ä'))), title: 'ä' },
      { id: '10', content: page('b\nc'), bytes: String(page('b\nc').length), title: 'b\nc' },
    ]);
  });

  test('may do without the content, which goes nowhere then', async () => {
    await write({ '1.html': page('a') });
    await run(TITLES, { columns: { content: null } });
    expect(await rows()).toEqual([{ id: '1', title: 'a' }]);
  });

  test('leaves the other columns as they are without it', async () => {
    await write({ '1.html': 'x', '2.html': '' });
    const modified = 1_709_210_096.789;
    await utimes(join(scene.folder, 'lake', '1.html'), modified, modified);
    const documents = {
      columns: {
        ...{ content: 'content', bytes: 'size', scraped: 'modified', at: 'path', file: 'name' },
        ...{ seen: 'loaded', n: { constant: 7 }, none: { constant: null } },
      },
    };
    const nothing = `export default {
      columns: { mark: 'text' }, transform: (rows) => rows.map(() => ({ mark: 'm' })) }`;
    await run(nothing, { documents, types: { content: 'bytea' } });
    const { table } = scene;
    await run(nothing, {
      ...{ documents, table: `${table}_plain`, transform: null, types: { content: 'bytea' } },
    });
    const own = 'id, content, bytes, scraped, at, file, n, none';
    const plain = await scene.db.query(`select ${own} from ${table}_plain order by id`);
    expect(plain).toHaveLength(2);
    expect(await rows(own)).toEqual(plain);
    const [seen] = await rows(`seen > now() - interval '1 hour' and seen <= now() as recent`);
    expect(seen).toEqual({ recent: true });
    const types = await scene.db.query(
      `select table_name = $1 as own, data_type as type from information_schema.columns
        where table_name in ($1, $1 || '_plain') and column_name <> 'mark'
        order by table_name, ordinal_position`,
      [table],
    );
    const typesOf = (which: boolean) =>
      types.filter(({ own: one }) => one === which).map(({ type }) => type);
    expect(typesOf(true)).toEqual(typesOf(false));
  });

  test('has bytes that are no text where they go to a bytea', async () => {
    const bytes = Buffer.from([0, 255, 0x5c, 0x78, 10]);
    await write({ '1.html': bytes });
    await scene.db.query(
      `create table ${scene.table} (id int primary key, content bytea, seen text)`,
    );
    const { report } = await run(
      `export default { columns: ['seen'], transform: (rows) => rows.map((r) => ({ seen: r.content })) }`,
    );
    expect(report.error).toBeNull();
    expect(await rows()).toEqual([{ id: 1, content: bytes, seen: '\\x00ff5c780a' }]);
  });

  test('is called with subBatchSize documents, of however many reads, and fewer where they are long', async () => {
    const counts = `export default {
      columns: { batch: 'int' }, transform: (rows) => rows.map(() => ({ batch: rows.length })) }`;
    const small = Object.fromEntries(Array.from({ length: 25 }, (_, id) => [`${id}.html`, 'x']));
    await write(small);
    const settings = { concurrency: 1, subBatchSize: 10 };
    await run(counts, { settings, strategy: 'sequential' });
    const sizes = async () =>
      (await rows('batch')).map(({ batch }) => Number(batch)).toSorted((a, b) => a - b);
    const few = await sizes();
    expect(few.filter((size) => size === 10).length).toBeGreaterThanOrEqual(10);
    expect(Math.max(...few)).toBe(10);
    const long = 'y'.repeat(LIMITS.transformBatchCharactersMax / 2);
    // Two units of three each, of which two are long enough together.
    const ids = [100, 101, 102, 103, 104, 105];
    await write(Object.fromEntries(ids.map((id) => [`${id}.html`, long])));
    await run(counts, { settings, files: ['lake/1??.html'], columns: { content: null } });
    const most = await scene.db.query(
      `select max(batch)::int as most from ${scene.table} where id >= 100`,
    );
    expect(most).toEqual([{ most: 2 }]);
  });

  test('may be the key, of which no sample tells', async () => {
    await write({ '1.html': 'k1', '2.html': 'k2', '3.html': 'k1' });
    const { plan, report } = await run(
      `export default { columns: ['slug'], transform: (rows) => rows.map((r) => ({ slug: r.content })) }`,
      { key: ['slug'] },
    );
    expect(plan.loads[0]?.overlap.sampled).toBe(false);
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 3, inserted: 2 });
    expect(await rows('id, slug')).toEqual([
      { id: '2', slug: 'k2' },
      { id: '3', slug: 'k1' },
    ]);
  });

  test('is found by lookups, and goes to several tables', async () => {
    await scene.db.query(
      `create table sites_${scene.table} (site_id int generated always as identity primary key, name text unique);
       create table ${scene.table} (id int primary key, site_id int, title text);
       create table ${scene.table}_log (id int, title text)`,
    );
    await write({ '1.html': page('one'), '2.html': page('two'), '3.html': page('one') });
    const module = TITLES.replace(`['title']`, `['title', 'site']`).replace(
      '{ title }',
      `{ title, site: title }`,
    );
    const { report } = await run(module, {
      columns: { content: null },
      lookups: [
        {
          ...{ column: 'site', table: `sites_${scene.table}`, match: 'name', id: 'site_id' },
          ...{ into: 'site_id', insertMissing: true },
        },
      ],
      targets: [
        {
          table: `${scene.table}_log`,
          onConflict: 'append',
          columns: { content: null, site: null },
        },
      ],
    });
    expect(report.error).toBeNull();
    expect(
      await scene.db.query(
        `select t.id, t.title, s.name from ${scene.table} t
           join sites_${scene.table} s using (site_id) order by 1`,
      ),
    ).toEqual([
      { id: 1, title: 'one', name: 'one' },
      { id: 2, title: 'two', name: 'two' },
      { id: 3, title: 'one', name: 'one' },
    ]);
    const log = await scene.db.query(`select count(*)::int as n from ${scene.table}_log`);
    expect(log).toEqual([{ n: 3 }]);
  });

  test('is loaded anew where a document, or the version of the module, is another', async () => {
    await write({ '1.html': page('a'), '2.html': page('b') });
    await run(TITLES);
    const again = await run(TITLES);
    expect(statusesOf(again.report)).toEqual(['skipped', 'skipped']);
    await write({ '2.html': page('longer') });
    const changed = await run(TITLES);
    expect(changed.report.loads[0]?.totals).toMatchObject({ rowsRead: 1, updated: 1 });
    const other = await run(TITLES.replace('columns:', `version: '2', columns:`));
    expect(other.report.loads[0]?.totals).toMatchObject({ rowsRead: 2, unchanged: 2 });
  });

  test('is what etl verify takes for right, without what was rejected', async () => {
    await write({ '1.html': page('a'), '2.html': 'none', '3.html': page('c') });
    const { report, job } = await run(TITLES, { settings: { onError: 'quarantine' } });
    expect(report).toMatchObject({ status: 'rejected-rows', error: null });
    const options = {
      ...{ databaseUrl: scene.db.url, cwd: scene.folder, log: silentLog },
      ...{ wholeTable: true, now: () => 0 },
    };
    const right = await verify(defineJob(job, scene.folder), options);
    expect(right).toMatchObject({ equal: true, tables: [{ rowsRead: 3 }] });
    await scene.db.query(`update ${scene.table} set title = 'other' where id = 3`);
    const wrong = await verify(defineJob(job, scene.folder), options);
    expect(wrong).toMatchObject({ equal: false, tables: [{ changed: 1 }] });
  });
});

describe('a document that it rejects', () => {
  const lake = {
    '1.html': page('a'),
    '2.html': 'none',
    '3.html': page('throws'),
    '4.html': page('d'),
  };

  test.for(['sequential', 'full-parallel'])(
    'stops the unit there, and is told by its name (%s)',
    async (strategy) => {
      await write(lake);
      const { report } = await run(TITLES, { strategy, settings: { concurrency: 1 } });
      expect(report.status).toBe('failed');
      const [bad] = filesOf(report).filter(({ status }) => status === 'failed');
      expect(bad?.error).toMatchObject({
        code: 'ETL_TRANSFORM',
        sentence: 'no title.',
        facts: { file: 'lake/2.html' },
      });
      expect(await rows('id')).toEqual([{ id: '1' }]);
    },
  );

  test('goes to a reject file, and no other goes through the transform twice', async () => {
    await write({ ...lake, '5.html': Buffer.from([255]), '6.html': page('f') });
    const seen: unknown[] = [];
    Object.assign(globalThis, { seenDocuments: seen });
    const module = TITLES.replace(
      'rows.map',
      '(globalThis.seenDocuments.push(...rows), rows).map',
    ).replace(`throw new TypeError('no such title')`, `return reject('no such title')`);
    const { report } = await run(module, { settings: { onError: 'quarantine' } });
    expect(report).toMatchObject({ status: 'rejected-rows', error: null });
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 6, inserted: 3, rejected: 3 });
    expect(await rows('id')).toEqual([{ id: '1' }, { id: '4' }, { id: '6' }]);
    expect(seen).toHaveLength(5);
    const [row] = await readRejects(filesOf(report)[1]?.rejects ?? '');
    expect(row).toMatchObject({ etl_reason: 'no title.', id: '2' });
    expect(row?.['etl_raw']).toBe(join(scene.folder, 'lake', '2.html'));
  });

  test('may be one that the table refuses, beside good ones', async () => {
    await scene.db.query(`create table ${scene.table} (id int primary key, title int)`);
    await write({ '1.html': page('1'), '2.html': page('x'), '3.html': page('3') });
    const asked = {
      columns: { content: null },
      settings: { concurrency: 1, onError: 'quarantine' },
    };
    const { report } = await run(TITLES, asked);
    expect(report.loads[0]?.totals).toMatchObject({ inserted: 2, rejected: 1 });
    const [row] = await readRejects(filesOf(report)[1]?.rejects ?? '');
    expect(row?.['etl_reason']).toContain('invalid input syntax for type integer');
    expect(row?.['etl_column']).toBe('title');
    const stopped = await run(TITLES, {
      ...{ columns: { content: null }, options: { force: true } },
      settings: { concurrency: 1 },
    });
    expect(stopped.report.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      facts: { file: 'lake/2.html', column: 'title' },
    });
  });

  test('does not go in by a COPY into the table itself', async () => {
    await scene.db.query(`create table ${scene.table} (id int, title text)`);
    await write(lake);
    const appended = { key: null, onConflict: 'append', columns: { content: null } };
    const stopped = await run(TITLES, { ...appended, settings: { concurrency: 1 } });
    expect(stopped.report.status).toBe('failed');
    expect(await rows('id')).toEqual([{ id: 1 }]);
    await write({ '2.html': page('b'), '3.html': page('c') });
    const whole = await run(TITLES, { ...appended, settings: { concurrency: 1 } });
    expect(whole.copies.every((sql) => sql.startsWith('copy "public"'))).toBe(true);
    expect((await rows('id')).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });
});

test('a transform that does not keep to its word fails the documents, whatever happens to bad ones', async () => {
  await write({ '1.html': 'a', '2.html': 'b' });
  const module = `export default { columns: ['title'], transform: (rows) => rows.slice(1) }`;
  for (const onError of ['stop', 'quarantine']) {
    const { report } = await run(module, { settings: { onError } });
    expect(report.error).toMatchObject({ code: 'ETL_TRANSFORM' });
    expect(report.error?.sentence).toContain('it gave');
  }
});
