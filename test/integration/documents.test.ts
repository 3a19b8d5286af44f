import { createHash } from 'node:crypto';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../src/check/verify/verify.ts';
import type { VerifyReport } from '../../src/check/verify/verify-types.ts';
import type { ErrorRecord } from '../../src/errors.ts';
import { defineJob } from '../../src/job/define-job.ts';
import { LIMITS } from '../../src/limits.ts';
import { silentLog } from '../../src/log.ts';
import type { RunEvent } from '../../src/run/events.ts';
import type { Report } from '../../src/run/report-types.ts';
import { expectNoLeaks } from '../support/database.ts';
import { load, planJob, runPlan, type LoadOptions } from '../support/load.ts';
import { readRejects } from '../support/rejects.ts';
import { createWorkplace, type Workplace } from '../support/table-pair.ts';

/** Documents, from the files to the table. */
let place: Workplace;
let tables = 0;
let table = '';

beforeAll(async () => {
  place = await createWorkplace();
});
afterEach(async () => {
  table = '';
  await expectNoLeaks(place.db.url);
});
afterAll(() => place.remove());

/** A name for the test's table and for its folder. */
function tableOf(): string {
  if (table === '') table = `docs${++tables}`;
  return table;
}

async function write(files: Record<string, string | Buffer>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(place.folder, tableOf(), name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

interface Asked {
  readonly documents?: Record<string, unknown>;
  readonly settings?: Record<string, unknown>;
  readonly [setting: string]: unknown;
}

const path = '{id}_{level}.html';

function jobOf({ documents = {}, settings = {}, ...rest }: Asked) {
  const files = [`${tableOf()}/**/*.html`];
  return {
    settings: { concurrency: 2, ...settings },
    loads: [{ files, table: tableOf(), documents: { path, ...documents }, ...rest }],
  };
}

async function run(asked: Asked = {}, options: Partial<LoadOptions> = {}): Promise<Report> {
  const { report } = await load(place.db.url, jobOf(asked), {
    cwd: place.folder,
    ...options,
  });
  return report;
}

async function loaded(asked: Asked = {}, options: Partial<LoadOptions> = {}): Promise<Report> {
  const report = await run(asked, options);
  expect(report.error).toBeNull();
  return report;
}

function rows(order = '1, 2') {
  return place.db.query(`select * from ${tableOf()} order by ${order}`);
}

async function planError(asked: Asked): Promise<ErrorRecord> {
  const planned = planJob(place.db.url, jobOf(asked), { cwd: place.folder });
  const error: unknown = await planned.catch((refused: unknown) => refused);
  return (error as { record: ErrorRecord }).record;
}

describe('a table that is created', () => {
  it('has the parts of the path, typed by all paths, and the content', async () => {
    await write({ '2_pro.html': 'two', '10_pro.html': '', '9007199254740993_am.html': 'ä\t\\N\n' });
    const report = await loaded({ key: ['id', 'level'] });
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 3, inserted: 3 });
    await expect(rows()).resolves.toEqual([
      { id: '2', level: 'pro', content: 'two' },
      { id: '10', level: 'pro', content: '' },
      { id: '9007199254740993', level: 'am', content: 'ä\t\\N\n' },
    ]);
    const [type] = await place.db.query(
      `select array_agg(format_type(atttypid, null) order by attnum) as types
         from pg_attribute where attrelid = $1::regclass and attnum > 0`,
      [tableOf()],
    );
    expect(type).toEqual({ types: ['bigint', 'text', 'text'] });
  });

  it('has a placeholder as text where one is no number, as uuid or date where all are', async () => {
    const uuid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
    await write({ [`07/2024-02-29/${uuid}.html`]: 'a', [`8/2024-03-01/${uuid}.html`]: 'b' });
    await loaded({ documents: { path: '{n}/{day}/{key}.html' }, key: ['n'] });
    await expect(
      place.db.query(`select n, day::text, key from ${tableOf()} order by n`),
    ).resolves.toEqual([
      { n: '07', day: '2024-02-29', key: uuid },
      { n: '8', day: '2024-03-01', key: uuid },
    ]);
    await expect(
      place.db.query(`select pg_typeof(n)::text n, pg_typeof(day)::text d, pg_typeof(key)::text k
                        from ${tableOf()} limit 1`),
    ).resolves.toEqual([{ n: 'text', d: 'date', k: 'uuid' }]);
  });

  it('takes every source, with a type that fits it', async () => {
    await write({ '1_a.html': 'ä' });
    const file = join(place.folder, tableOf(), '1_a.html');
    const modified = new Date('2024-02-29T12:34:56.789Z');
    await utimes(file, modified, modified);
    const before = Date.now();
    const columns = {
      html: 'content',
      raw: 'content',
      bytes: 'size',
      scraped: 'modified',
      at: 'path',
      file: 'name',
      seen: 'loaded',
      source: { constant: 'lake' },
      batch: { constant: 7 },
      half: { constant: 0.5 },
      live: { constant: true },
      note: { constant: null },
    };
    await loaded({ documents: { columns }, key: ['id'], types: { raw: 'bytea' } });
    const [row] = await rows('1');
    expect(row).toEqual({
      ...{ id: '1', level: 'a', html: 'ä', raw: Buffer.from('ä'), bytes: '2', scraped: modified },
      ...{ at: file, file: '1_a.html', source: 'lake', batch: '7', half: 0.5, live: true },
      ...{ note: null, seen: expect.any(Date) as Date },
    });
    const seen = (row?.['seen'] as Date).getTime();
    expect(seen).toBeGreaterThanOrEqual(before);
    expect(seen).toBeLessThanOrEqual(Date.now());
  });

  it('is filled before it gets its key, where documents are many', async () => {
    // More than one statement writes to the ledger, and more than a report lists.
    const many = LIMITS.recordedFilesPerStatement + 1;
    const all = Array.from({ length: many }, (_, id) => [`${id}_x.html`, `<p>${id}</p>`]);
    await write(Object.fromEntries(all) as Record<string, string>);
    const job = jobOf({ key: ['id', 'level'] }) as never;
    const plan = await planJob(place.db.url, job, { cwd: place.folder });
    expect(plan.loads[0]).toMatchObject({ fillBeforeKey: true, overlap: { missedShareMax: 0 } });
    const notices: string[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.kind === 'notice') notices.push(event.sentence);
    };
    const report = await runPlan(place.db.url, plan, { onEvent });
    expect(notices).toEqual([]);
    const listed = LIMITS.reportDocumentsMax;
    expect(report.loads[0]).toMatchObject({
      totals: { inserted: many },
      unlisted: [{ status: 'loaded', files: many - listed, inserted: many - listed }],
      prediction: { rows: { actual: many }, conflicts: { waitedMs: 0 } },
    });
    expect(report.loads[0]?.files).toHaveLength(listed);
    await expect(
      place.db.query('select files_loaded from etl.load where run_id = $1', [report.runId]),
    ).resolves.toEqual([{ files_loaded: many }]);
    await expect(
      place.db.query(
        `select count(*)::int, count(*) filter (where content = format('<p>%s</p>', id))::int as same
           from ${tableOf()}`,
      ),
    ).resolves.toEqual([{ count: many, same: many }]);
    await expect(
      place.db.query(`select count(*)::int from etl.ledger where path like $1`, [
        `%/${tableOf()}/%`,
      ]),
    ).resolves.toEqual([{ count: many }]);
  });
});

describe('a table that exists', () => {
  it.each([
    ['bigint', '7', '7'],
    ['integer', '-7', -7],
    ['smallint', '07', 7],
    ['numeric(6,2)', '1.005', '1.01'],
    ['text', '07', '07'],
    ['varchar(2)', '07', '07'],
    ['date', '2024-02-29', new Date('2024-02-29T00:00:00Z')],
    ['boolean', 'yes', true],
    ['uuid', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ])('takes a part of the path as %s', async (type, text, value) => {
    await place.db.query(`create table ${tableOf()} (id ${type} primary key, content bytea)`);
    await write({ [`${text}_x.html`]: 'x' });
    await loaded({ columns: { level: null } });
    const [row] = await rows('1');
    const id: unknown = row?.['id'];
    expect(id instanceof Date ? id.getDate() : id).toEqual(
      value instanceof Date ? value.getDate() : value,
    );
  });

  it.each(['json', 'jsonb', 'xml', 'text', 'varchar(20)'])('takes contents as %s', async (type) => {
    await place.db.query(`create table ${tableOf()} (id int primary key, content ${type})`);
    await write({ '1_x.html': type === 'xml' ? '<a>ä</a>' : '{"a": "ä"}' });
    await loaded({ columns: { level: null } });
    const [row] = await place.db.query(`select content::text from ${tableOf()}`);
    expect(row?.['content']).toBe(type === 'xml' ? '<a>ä</a>' : '{"a": "ä"}');
  });

  it('reads contents of another encoding into text, and keeps the bytes in a bytea', async () => {
    await place.db.query(`create table ${tableOf()} (id int primary key, t text, b bytea)`);
    await write({ '1_x.html': Buffer.from([0xe4, 0x80]), '2_x.html': Buffer.from([0x62]) });
    await loaded({
      columns: { level: null },
      documents: { columns: { t: 'content', b: 'content' }, encoding: 'win1252' },
    });
    await expect(rows('1')).resolves.toEqual([
      { id: 1, t: 'ä€', b: Buffer.from([0xe4, 0x80]) },
      { id: 2, t: 'b', b: Buffer.from('b') },
    ]);
  });

  it('keeps of equal keys the last by path, unless the job says otherwise', async () => {
    await place.db.query(
      `create table ${tableOf()} (id int primary key, level text, content text)`,
    );
    await write({ '1_9.html': 'nine', '1_10.html': 'ten', 'a/1_8.html': 'eight' });
    const report = await loaded();
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 3, inserted: 1 });
    await expect(rows('1')).resolves.toEqual([{ id: 1, level: '8', content: 'eight' }]);
    await loaded({ onConflict: 'newest', versionColumn: 'level' });
    await expect(rows('1')).resolves.toEqual([{ id: 1, level: '9', content: 'nine' }]);
  });

  it('keeps the last of equal keys, and tells bad ones, where documents fill several windows', async () => {
    await place.db.query(`create table ${tableOf()} (id int primary key, content bytea)`);
    const size = Math.round(0.6 * LIMITS.documentWindowBytes);
    const names = ['1_1', '2_1', '1_2', '2_2', '1_3', '2_3', '3_1', '1_4', '2_4'];
    await write(
      Object.fromEntries(
        names.map((name, at) => [`${at}/${name}.html`, Buffer.alloc(size, at)] as const),
      ),
    );
    await write({ '9/x_1.html': 'bad' });
    const rejects = join(place.folder, `${tableOf()}-rejects`);
    for (const onConflict of ['update', 'ignore']) {
      await place.db.query(`truncate ${tableOf()}`);
      const report = await run(
        {
          ...{ onConflict, columns: { level: null }, strategy: 'sequential' },
          settings: { onError: 'quarantine', rejects, concurrency: 1 },
        },
        { force: true },
      );
      expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 10, inserted: 3, rejected: 1 });
      const first = await place.db.query(
        `select id, get_byte(content, 0) as at, length(content) from ${tableOf()} order by id`,
      );
      const at = onConflict === 'update' ? [7, 8, 6] : [0, 1, 6];
      expect(first).toEqual(at.map((one, index) => ({ id: index + 1, at: one, length: size })));
    }
  });

  it('is what etl verify takes for right, but for the time of loading', async () => {
    await write({ '1_x.html': 'one', '2_x.html': 'two' });
    const columns = { content: 'content', bytes: 'size', seen: 'loaded' };
    const asked = { key: ['id'], documents: { columns } };
    await loaded(asked);
    const told = (): Promise<VerifyReport> =>
      verify(defineJob(jobOf(asked), place.folder), {
        ...{ databaseUrl: place.db.url, cwd: place.folder, wholeTable: true, log: silentLog },
        now: () => 0,
      });
    await expect(told()).resolves.toMatchObject({
      equal: true,
      tables: [{ rowsRead: 2, notCompared: ['seen'] }],
    });
    await place.db.query(`update ${tableOf()} set content = 'other' where id = 2`);
    await expect(told()).resolves.toMatchObject({ equal: false, tables: [{ changed: 1 }] });
  });

  it('takes every document with append, without staging', async () => {
    await place.db.query(`create table ${tableOf()} (id int, level text, content text)`);
    await write({ '1_a.html': 'a', '2_b.html': 'b' });
    await loaded({ onConflict: 'append' });
    await loaded({ onConflict: 'append' }, { force: true });
    await expect(rows('1')).resolves.toHaveLength(4);
  });
});

describe('a run once more', () => {
  it('skips what is loaded, by size and time or else by content, and loads what changed', async () => {
    const names = Array.from({ length: 50 }, (_, id) => `${id}_x.html`);
    await write(Object.fromEntries(names.map((name) => [name, name])));
    await loaded({ key: ['id'] });
    const again = await loaded({ key: ['id'] });
    expect(again.loads[0]?.files.every(({ status }) => status === 'skipped')).toBe(true);
    await write({ '7_x.html': 'other', '99_x.html': 'new' });
    await utimes(join(place.folder, tableOf(), '8_x.html'), 1_000, 1_000);
    const next = await loaded({ key: ['id'] });
    expect(next.loads[0]?.totals).toMatchObject({ rowsRead: 2, inserted: 1, updated: 1 });
    const [seven] = await place.db.query(`select content from ${tableOf()} where id = 7`);
    expect(seven).toEqual({ content: 'other' });
  });

  it('knows each document in the ledger by the hash of its bytes', async () => {
    await write({ '1_x.html': 'one', '2_x.html': 'two' });
    await loaded({ key: ['id'] });
    const entries = await place.db.query(
      `select content_hash, rows_read::int from etl.ledger where path like $1 order by ordinal`,
      [`%/${tableOf()}/%`],
    );
    const hashes = ['one', 'two'].map((text) => createHash('sha256').update(text).digest('hex'));
    expect(entries).toEqual(hashes.map((hash) => ({ content_hash: hash, rows_read: 1 })));
  });

  it('is made anew where the pattern or the columns are others', async () => {
    await write({ '1_x.html': 'one' });
    await place.db.query(
      `create table ${tableOf()} (id int primary key, level text, content text)`,
    );
    await loaded();
    const columns = { content: { constant: 'c' } };
    const report = await loaded({ documents: { columns } });
    expect(report.loads[0]?.totals).toMatchObject({ updated: 1 });
  });
});

describe('a bad document', () => {
  const good = { '1_x.html': 'one', '3_x.html': 'three' };
  const bad: [string, string, Record<string, string | Buffer>, string][] = [
    ['bytes that are no text', 'content text', { '2_x.html': Buffer.from([0x61, 0xff]) }, 'UTF-8'],
    ['a NUL', 'content text', { '2_x.html': 'a\0b' }, 'NUL'],
    ['no number in its path', 'content text', { '2b_x.html': 'two' }, 'no whole number'],
    ['a number out of range', 'content text', { '2147483648_x.html': 'two' }, 'out of range'],
    ['a value that is too long', 'content varchar(5)', { '2_x.html': 'longer' }, 'too long'],
    ['a value that cannot be cast', 'content xml', { '2_x.html': '<a>' }, 'XML'],
    [
      'a value that a CHECK refuses',
      "content text check (content <> 'no')",
      { '2_x.html': 'no' },
      'check',
    ],
  ];

  it.each(bad)('with %s ends the load there, and is named', async (_, column, files, reason) => {
    await place.db.query(`create table ${tableOf()} (id int primary key, ${column})`);
    await write({ ...good, ...files });
    const report = await run({ columns: { level: null }, settings: { concurrency: 1 } });
    const [name = ''] = Object.keys(files);
    expect(report.status).toBe('failed');
    expect(report.error?.facts.file).toContain(name);
    expect(report.error?.sentence).toContain(reason);
    const statuses = report.loads[0]?.files.map(({ status }) => status);
    const kept = name.startsWith('2147')
      ? ['loaded', 'loaded', 'failed']
      : ['loaded', 'failed', 'not-loaded'];
    expect(statuses).toEqual(kept);
    await expect(rows('1')).resolves.toHaveLength(kept.filter((one) => one === 'loaded').length);
  });

  it.each(bad)(
    'with %s goes to its reject file, and the others are loaded',
    async (_, column, files, reason) => {
      await place.db.query(`create table ${tableOf()} (id int primary key, ${column})`);
      await write({ ...good, ...files });
      const rejects = join(place.folder, `${tableOf()}-rejects`);
      const settings = { onError: 'quarantine', rejects };
      const report = await run({ columns: { level: null }, settings });
      const [name = ''] = Object.keys(files);
      expect(report.status).toBe('rejected-rows');
      expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 3, inserted: 2, rejected: 1 });
      await expect(rows('1')).resolves.toEqual([
        { id: 1, content: 'one' },
        { id: 3, content: 'three' },
      ]);
      const rejected = report.loads[0]?.files.find((file) => file.rejects !== null);
      expect(rejected?.path).toContain(name);
      const [line] = await readRejects(rejected?.rejects ?? '');
      expect(line).toMatchObject({ etl_line: '1', id: name.split('_')[0], content: '' });
      expect(line?.['etl_reason']).toContain(reason);
      expect(line?.['etl_raw']).toBe(rejected?.path);
      // It is done with, until it changes.
      const again = await run({ columns: { level: null }, settings });
      expect(again.loads[0]?.totals).toMatchObject({ rowsRead: 0 });
    },
  );

  it('is found among many, each in its own reject file', async () => {
    await place.db.query(`create table ${tableOf()} (id int primary key, content varchar(9))`);
    const all = Array.from({ length: 300 }, (_, id) => {
      const content =
        id % 50 === 7 ? Buffer.from([0xff]) : id % 50 === 8 ? 'much too long' : `${id}`;
      return [`${id % 50 === 9 ? 'x' : ''}${id}_x.html`, content] as const;
    });
    await write(Object.fromEntries(all));
    const rejects = join(place.folder, `${tableOf()}-rejects`);
    const settings = { onError: 'quarantine', rejects };
    const report = await run({ columns: { level: null }, settings });
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 300, inserted: 282, rejected: 18 });
    const files = report.loads[0]?.files.filter((file) => file.rejected === 1) ?? [];
    expect(new Set(files.map((file) => file.rejects)).size).toBe(18);
    await expect(
      place.db.query(`select count(*)::int from ${tableOf()} where content = id::text`),
    ).resolves.toEqual([{ count: 282 }]);
  });

  it('that no key is in the path of stops the plan, or is a bad row', async () => {
    await write({ ...good, 'index.html': 'x' });
    const error = await planError({ key: ['id'] });
    expect(error).toMatchObject({ code: 'ETL_FILE_FORMAT' });
    expect(error.facts.file).toContain('index.html');
    const rejects = join(place.folder, `${tableOf()}-rejects`);
    const report = await run({ key: ['id'], settings: { onError: 'quarantine', rejects } });
    expect(report.loads[0]?.totals).toMatchObject({ inserted: 2, rejected: 1 });
  });

  it('that is gone, or was written to meanwhile, ends the load there, quarantine or not', async () => {
    const ends: string[] = [];
    for (const onError of ['stop', 'quarantine']) {
      table = '';
      await write({ ...good, '2_x.html': 'two' });
      const rejects = join(place.folder, `${tableOf()}-rejects`);
      const job = jobOf({ key: ['id'], settings: { onError, rejects, concurrency: 1 } });
      const plan = await planJob(place.db.url, job, { cwd: place.folder });
      if (onError === 'stop') await write({ '2_x.html': 'two!' });
      else await rm(join(place.folder, tableOf(), '2_x.html'));
      const report = await runPlan(place.db.url, plan, {});
      ends.push(...(report.loads[0]?.files.map(({ status }) => status) ?? []));
      ends.push(report.error?.code ?? '');
      await expect(rows('1')).resolves.toHaveLength(1);
    }
    const end = ['loaded', 'failed', 'not-loaded'];
    expect(ends).toEqual([...end, 'ETL_FILE_CHANGED', ...end, 'ETL_FILE_READ']);
  });
});

describe('a job that cannot be', () => {
  it.each<[string, Asked, string]>([
    ['a key of contents', { key: ['content'] }, 'ETL_KEY_INVALID'],
    ['maxErrors', { key: ['id'], settings: { maxErrors: 3 } }, 'ETL_JOB_INVALID'],
    ['an unknown encoding', { documents: { encoding: 'nonsense' } }, 'ETL_JOB_INVALID'],
    ['columns that are not there', { columns: { nothing: 'x' } }, 'ETL_COLUMN_MISSING'],
  ])('is refused: %s', async (_, asked, code) => {
    await write({ '1_x.html': 'one' });
    await expect(planError(asked)).resolves.toMatchObject({ code });
  });
});
