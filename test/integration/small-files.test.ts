import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/run/report-types.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { planJob, runPlan } from '../support/load.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';
import { sentDuring } from '../support/sent-statements.ts';
import { zstdFrame } from '../support/zstd-frame.ts';

/** Small files of a unit are copied together; nobody may see that but by the clock. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name fault_staged,
                amount int check (amount >= 0), parent int)`,
  `${FAULTS}; create table parent (id int primary key)`,
);

type LoadJob = Parameters<typeof planJob>[1]['loads'][number];

interface Loaded {
  readonly report: Report;
  readonly units: number;
  /** Statements of the run, in order; its sessions are on this thread. */
  readonly statements: readonly string[];
}

async function load(job: Partial<LoadJob> = {}): Promise<Loaded> {
  const loads = [{ table: scene.table, files: ['*'], ...job }] as LoadJob[];
  const plan = await planJob(
    scene.db.url,
    { settings: { concurrency: 1 }, loads },
    { cwd: scene.folder },
  );
  const { ended: report, statements } = await sentDuring(() => runPlan(scene.db.url, plan, {}));
  return { report, units: plan.loads[0]?.units.length ?? 0, statements };
}

function copies({ statements }: Loaded): string[] {
  return statements.filter((sql) => /^copy .* from stdin/.test(sql));
}

async function rows(columns = 'id, name'): Promise<string[]> {
  const found = await scene.db.query(
    `select concat_ws(' ', ${columns}) as row from ${scene.table} order by id`,
  );
  return found.map(({ row }) => String(row));
}

/** Files `f000.csv` …, each with a row of its own and row 0, which the last one wins. */
function manyFiles(count: number): Record<string, string> {
  const names = Array.from({ length: count }, (_, place) => `f${String(place).padStart(3, '0')}`);
  return Object.fromEntries(
    names.map((name, place) => [`${name}.csv`, `id,name\n0,${name}\n${place + 1},${name}\n`]),
  );
}

describe('one COPY for many files', () => {
  test.for([
    ['upserted', {}, 'pg_temp'],
    ['appended', { onConflict: 'append' }, '"public"'],
    ['partitioned', { strategy: 'partitioned' }, '"etl"'],
  ] as const)('%s', async ([, job, into]) => {
    await scene.db.query(`alter table ${scene.table} drop constraint ${scene.table}_pkey`);
    if (!('onConflict' in job)) {
      await scene.db.query(`alter table ${scene.table} add primary key (id)`);
    }
    const cost = async (count: number): Promise<number> => {
      await scene.db.query(`truncate ${scene.table}; drop schema if exists etl cascade`);
      await scene.write(manyFiles(count));
      const loaded = await load(job);
      expect(new Set(statusesOf(loaded.report))).toEqual(new Set(['loaded']));
      expect(copies(loaded)).toHaveLength(loaded.units);
      expect(copies(loaded).every((sql) => sql.startsWith(`copy ${into}`))).toBe(true);
      expect(loaded.statements.filter((sql) => /^alter table (?!"etl"\.)/.test(sql))).toEqual([]);
      expect(loaded.report.loads[0]?.totals.rowsRead).toBe(2 * count);
      return loaded.statements.length;
    };
    const [few, many] = [await cost(20), await cost(200)];
    expect(many).toBe(few);
    const zeros = await scene.db.query(`select name from ${scene.table} where id = 0`);
    expect(zeros.length).toBe('onConflict' in job ? 200 : 1);
    if (!('onConflict' in job)) expect(zeros).toEqual([{ name: 'f199' }]);
  });

  test('of JSON, be they lines or arrays, compressed or plain, empty or with CSV beside', async () => {
    const lines = (...ids: number[]): string =>
      ids.map((id) => `{"id":${id},"name":"n"}\n`).join('');
    await scene.write({
      'a.jsonl': lines(1, 2),
      'b.json': '[{"name":"\\t\\\\b","id":2},{"id":3,"name":null}]',
      'c.json': '[]',
      'd.jsonl.gz': gzipSync(lines(3, 4)),
      'e.jsonl': lines(5),
      'f.csv': 'id,name\n5,f\n6,f\n',
    });
    const loaded = await load({ json: { columns: { id: '/id', name: '/name' } } });
    expect(statusesOf(loaded.report)).toEqual(Array(6).fill('loaded'));
    // One for each unit, and one for the CSV file among them.
    expect([loaded.units, copies(loaded).length]).toEqual([2, 3]);
    expect(await rows()).toEqual(['1 n', '2 \t\\b', '3 n', '4 n', '5 f', '6 f']);
  });

  test('of JSON, where one that is bad is told by itself', async () => {
    const line = (id: number, name: string): string => `${JSON.stringify({ id, name })}\n`;
    await scene.write({
      'a.jsonl': line(1, 'a'),
      'b.jsonl': line(2, 'b') + line(3, 'b').replace('3', '"x"') + line(4, 'b'),
      'c.jsonl': line(5, 'c'),
    });
    const loaded = await load();
    expect(statusesOf(loaded.report)).toEqual(['loaded', 'failed', 'not-loaded']);
    expect(filesOf(loaded.report)[1]?.error).toMatchObject({
      facts: { file: 'b.jsonl', line: 2, column: 'id' },
    });
    expect(await rows()).toEqual(['1 a']);
    const broken = line(2, 'b') + '{"id":3,\n';
    await scene.write({ 'b.jsonl': broken });
    const again = await load();
    expect(filesOf(again.report)[1]?.error).toMatchObject({ code: 'ETL_JSON_MALFORMED' });
  });

  test('into a table that is made', async () => {
    await scene.write(manyFiles(30));
    const loaded = await load({ table: `${scene.table}_new`, key: ['id', 'name'] });
    expect([loaded.report.status, copies(loaded).length]).toEqual(['loaded', loaded.units]);
    const [count] = await scene.db.query(`select count(*)::int as n from ${scene.table}_new`);
    expect(count).toEqual({ n: 60 });
  });

  test('compressed or plain, empty, with a byte-order mark, without a last line end', async () => {
    await scene.write({
      'a.csv': 'id,name\n1,a\n2,a',
      'b.csv.gz': gzipSync('id,name\n2,b\n3,b\n'),
      'c.csv': 'id,name\n',
      'd.csv.zst': zstdFrame(Buffer.from('id,name\n3,d\n4,d\n')),
      'e.csv': '\ufeffid,name\n4,e\n\n5,"e\ne"',
    });
    const loaded = await load();
    expect(statusesOf(loaded.report)).toEqual(Array(5).fill('loaded'));
    expect(copies(loaded)).toHaveLength(loaded.units);
    expect(await rows()).toEqual(['1 a', '2 b', '3 d', '4 e', '5 e\ne']);
  });

  test('the end-of-data mark of COPY is a value in the midst of it', async () => {
    const table = `${scene.table}_text`;
    await scene.db.query(`create table ${table} (line text primary key)`);
    await scene.write({ 'a.csv': 'line\na\n', 'b.csv': 'line\n\\.\n', 'c.csv': 'line\nc\n' });
    const loaded = await load({ table });
    expect(copies(loaded)).toHaveLength(loaded.units);
    const lines = await scene.db.query(`select line from ${table} order by line collate "C"`);
    expect(lines.map(({ line }) => line)).toEqual(['\\.', 'a', 'c']);
  });
});

describe('a COPY of its own', () => {
  test('for each run of files with the same line end', async () => {
    await scene.write({
      'a.csv': 'id,name\n1,a\n',
      'b.csv': 'id,name\n2,b\n',
      'c.csv': 'id,name\r\n2,c\r\n3,c\r\n',
      'd.csv': 'id,name\r\n3,d\r\n',
      'e.csv': 'id,name\n1,e\n3,e\n',
    });
    // All in the first unit, but for the last file, which the second has.
    await scene.write({ 'f.csv': `id,name\n9,${'f'.repeat(500)}\n` });
    const loaded = await load();
    expect(statusesOf(loaded.report)).toEqual(Array(6).fill('loaded'));
    expect([loaded.units, copies(loaded).length]).toEqual([2, 4]);
    expect((await rows()).slice(0, 3)).toEqual(['1 e', '2 c', '3 e']);
  });

  test('for each run of files that one statement can read', async () => {
    await scene.write({
      'a.csv': 'id,name\n1,a\n2,a\n',
      'b.csv': 'name,id\nb,2\nb,3\n',
      'c.csv': 'id;name\n3;c\n4;c\n',
      'd.csv': 'id;name\n4;d\n',
    });
    await scene.write({ 'e.csv': `id,name\n9,${'e'.repeat(500)}\n` });
    const loaded = await load();
    expect([loaded.units, copies(loaded).length]).toEqual([2, 4]);
    expect((await rows()).slice(0, 4)).toEqual(['1 a', '2 b', '3 c', '4 d']);
  });

  test('for a file that is not small, between those that are', async () => {
    const large = Array.from({ length: 30_000 }, (_, place) => `${place + 10},large\n`).join('');
    await scene.write({
      'a.csv': 'id,name\n1,a\n',
      'b.csv': 'id,name\n2,b\n',
      'c.csv': `id,name\n2,c\n${large}`,
      'd.csv': 'id,name\n2,d\n',
      'e.csv': 'id,name\n10,e\n',
    });
    const loaded = await load();
    expect(statusesOf(loaded.report)).toEqual(Array(5).fill('loaded'));
    expect((await rows()).slice(0, 4)).toEqual(['1 a', '2 d', '10 e', '11 large']);
  });
});

describe('a bad file among good ones', () => {
  const good = {
    'a.csv': 'id,name,amount\n1,a,1\n2,a,1\n',
    'b.csv': 'id,name,amount\r\n2,b,1\r\n3,b,1\r\n',
    'c.csv': 'id,name,amount\r\n3,c,1\r\n',
    'd.csv': 'id,name,amount\r\n',
    'f.csv': 'id,name,amount\r\n6,f,1\r\n',
    'g.csv': `id,name,amount\r\n7,${'g'.repeat(500)},1\r\n`,
  };
  const loadedFiles = ['loaded', 'loaded', 'loaded', 'loaded', 'failed'];
  const statuses = [...loadedFiles, 'not-loaded', 'not-loaded'];

  test.for([
    ['a value of another type', '5,x,much', { line: 5, column: 'amount', value: 'much' }],
    ['a row that the table refuses', '5,x,-1', { sqlState: '23514' }],
    ['too few fields', '5,x', { line: 5 }],
    ['a quote that never closes', '5,"x,1', { line: 5 }],
  ] as const)('%s: it is named, those before it are loaded', async ([, line, facts]) => {
    const bad = `id,name,amount\r\n3,"e\r\ne",1\r\n4,e,1\r\n${line}\r\n`;
    await scene.write({ ...good, 'e.csv': bad });
    const { report } = await load();
    expect(report.error?.facts).toMatchObject({ file: 'e.csv', ...facts });
    expect(statusesOf(report)).toEqual(statuses);
    expect(await rows()).toEqual(['1 a', '2 b', '3 c']);
    expect(report.loads[0]?.totals.rowsRead).toBe(5);

    await scene.write({ 'e.csv': bad.replace(line, '5,x,1') });
    const again = await load();
    const skipped = 'skipped';
    expect(statusesOf(again.report)).toEqual([
      ...[skipped, skipped, skipped, skipped],
      ...['loaded', 'loaded', 'loaded'],
    ]);
    expect((await rows()).slice(0, 6)).toEqual(['1 a', '2 b', '3 e\r\ne', '4 e', '5 x', '6 f']);
  });

  test.for([
    ['a value of another type', '5,x,much', { line: 3, column: 'amount' }],
    ['a CHECK', '5,x,-1', { sqlState: '23514' }],
    ['a foreign key that is checked at COMMIT', '5,x,1,7', { sqlState: '23503' }],
  ] as const)('appended: %s', async ([, line, facts]) => {
    await scene.db.query(
      `alter table ${scene.table} drop constraint ${scene.table}_pkey,
         add foreign key (parent) references parent deferrable initially deferred`,
    );
    const head = 'id,name,amount,parent\n';
    const fields = line.split(',').length;
    const bad = `${head}4,x,1,\n${line}${','.repeat(4 - fields)}\n`;
    await scene.write({ 'a.csv': `${head}1,a,1,\n`, 'b.csv': `${head}2,b,1,\n`, 'c.csv': bad });
    await scene.write({ 'd.csv': `${head}6,${'d'.repeat(500)},1,\n` });
    const { report } = await load({ onConflict: 'append' });
    expect(report.error?.facts).toMatchObject({ file: 'c.csv', ...facts });
    expect(statusesOf(report).slice(0, 3)).toEqual(['loaded', 'loaded', 'failed']);
    expect(await rows()).toEqual(['1 a', '2 b']);
  });
});

describe('a file that changes while the unit is staged', () => {
  test.for([
    ['it was read', 'b.csv', ['loaded', 'failed', 'not-loaded'], ['1 a']],
    ['it is the last', 'c.csv', ['loaded', 'loaded', 'failed'], ['1 a', '2 b']],
  ] as const)('%s', async ([, changed, statuses, left]) => {
    await scene.write({
      'a.csv': 'id,name\n1,a\n',
      'b.csv': 'id,name\n2,b\n',
      'c.csv': 'id,name\n3,stage gate\n',
      'd.csv': `id,name\n4,${'d'.repeat(500)}\n`,
    });
    const gate = await scene.db.client();
    await gate.query(closeGateSql('stage'));
    const loading = load();
    await untilWaiting(scene.db, 'stage');
    await utimes(join(scene.folder, changed), 1, 1);
    await gate.query('select pg_advisory_unlock_all()');
    const { report } = await loading;
    await gate.end();
    expect(report.error).toMatchObject({ code: 'ETL_FILE_CHANGED', facts: { file: changed } });
    expect(statusesOf(report).slice(0, 3)).toEqual(statuses);
    expect(await rows()).toEqual(left);
  });

  test('one that is not small: its rows do not stay for the merge of the others', async () => {
    const large = Array.from({ length: 30_000 }, (_, place) => `${place + 10},large\n`).join('');
    await scene.write({
      'a.csv': 'id,name\n1,a\n',
      'b.csv': 'id,name\n2,b\n',
      'c.csv': `id,name\n3,stage gate\n${large}`,
      'd.csv': `id,name\n4,d\n${large.replaceAll(',large', '0000,d')}`,
    });
    const gate = await scene.db.client();
    await gate.query(closeGateSql('stage'));
    const loading = load({ strategy: 'full-parallel' });
    await untilWaiting(scene.db, 'stage');
    await utimes(join(scene.folder, 'c.csv'), 1, 1);
    await gate.query('select pg_advisory_unlock_all()');
    const { report } = await loading;
    await gate.end();
    expect(report.error?.code).toBe('ETL_FILE_CHANGED');
    expect(filesOf(report)[2]?.status).toBe('failed');
    expect(await rows()).toEqual(['1 a', '2 b']);
  });
});
