import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { load } from '../support/load.ts';
import { readRejects } from '../support/rejects.ts';
import { useScene } from '../support/scene.ts';

/** Records that are no JSON: rejected like any other bad row, and the others are loaded. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const BROKEN: ReadonlyMap<number, string | Buffer> = new Map<number, string | Buffer>([
  [0, '{"id":0,"name":first}'],
  [40, '{"id":40,"name":"never closed}'],
  [41, '{"id":41,"name":"a quote" missing"}'],
  [200, '{"id:200,"name":"n"}'],
  [300, '[300,"an array"]'],
  [301, '"a string"'],
  [500, Buffer.from('{"id":500,"name":"\xff"}', 'latin1')],
  [501, '{"id":"501x","name":"refused by COPY"}'],
  [502, '{"id":502,"name":"nul \\u0000"}'],
  [998, 'no JSON at all'],
]);
const ROWS = 1_000;

function records(broken: typeof BROKEN): Buffer[] {
  return Array.from({ length: ROWS }, (_, id) =>
    Buffer.from(broken.get(id) ?? JSON.stringify({ id, name: `row ${id}` })),
  );
}

function joined(buffers: readonly Buffer[], before: string, between: string, after: string) {
  const parts = buffers.flatMap((each, at) => (at === 0 ? [each] : [Buffer.from(between), each]));
  return Buffer.concat([Buffer.from(before), ...parts, Buffer.from(after)]);
}

const LINES = (broken: typeof BROKEN): Buffer => joined(records(broken), '', '\n', '\n');
const ARRAY = (broken: typeof BROKEN): Buffer => joined(records(broken), '[\n', ',\n', '\n]\n');

async function content(): Promise<unknown> {
  const [row] = await scene.db.query(
    `select count(*)::int as n, sum(id)::int as s from ${scene.table} where name = 'row ' || id`,
  );
  return row;
}

function expected(broken: typeof BROKEN): unknown {
  const lost = [...broken.keys()].reduce((sum, id) => sum + id, 0);
  return { n: ROWS - broken.size, s: (ROWS * (ROWS - 1)) / 2 - lost };
}

test.each([
  ['full-parallel', 'f.jsonl', LINES, 'update'],
  ['sequential', 'f.jsonl', LINES, 'update'],
  ['partitioned', 'f.json', ARRAY, 'update'],
  ['full-parallel', 'f.json', ARRAY, 'append'],
] as const)('%s, %s', async (strategy, name, write, onConflict) => {
  if (onConflict === 'append') {
    await scene.db.query(`alter table ${scene.table} drop constraint ${scene.table}_pkey`);
  }
  const file = write(BROKEN);
  await scene.write({ [name]: file });
  const job = {
    settings: { onError: 'quarantine' as const },
    loads: [{ table: scene.table, files: [name], strategy, onConflict }],
  };
  const { report } = await load(scene.db.url, job, { cwd: scene.folder });
  expect([report.status, report.error]).toEqual(['rejected-rows', null]);
  expect(report.loads[0]?.totals).toMatchObject({
    rowsRead: ROWS,
    inserted: ROWS - BROKEN.size,
    rejected: BROKEN.size,
  });
  expect(await content()).toEqual(expected(BROKEN));
  const rejects = await readRejects(join(scene.folder, 'rejects', `${name}.rejects.csv`));
  const first = name === 'f.json' ? 2 : 1;
  for (const [at, [id, text]] of [...BROKEN].entries()) {
    const offset = Number(rejects[at]?.['etl_byte_offset']);
    const bytes = Buffer.from(text);
    expect(file.subarray(offset, offset + bytes.length)).toEqual(bytes);
    expect(rejects[at]).toMatchObject({
      etl_record: String(id + 1),
      etl_line: String(id + first),
      etl_raw: typeof text === 'string' ? text : `\\x${text.toString('hex')}`,
    });
    expect(rejects[at]?.['etl_reason']).toMatch(/cannot be loaded|invalid input syntax/);
  }
});

test('corrected rows are loaded, and the ledger and etl verify know of both', async () => {
  await scene.write({ 'f.jsonl': LINES(BROKEN) });
  const first = await scene.run(['f.jsonl', '--on-error', 'quarantine']);
  expect(first.code).toBe(3);
  const path = join(scene.folder, 'rejects', 'f.jsonl.rejects.csv');
  const [header = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const ids = [...BROKEN.keys()];
  // The last two columns are the fields, which a record that is no JSON leaves empty.
  const corrected = lines.map((line, at) =>
    line.replace(/,[^,]*,[^,]*$/, `,${ids[at] ?? ''},row ${ids[at] ?? ''}`),
  );
  await writeFile(path, [header, ...corrected, ''].join('\n'));
  const retried = await scene.run(['f.jsonl', '--on-error', 'quarantine', '--retry-rejects']);
  expect([retried.code, retried.error]).toEqual([0, null]);
  expect(await content()).toEqual(expected(new Map()));
  const again = await scene.run(['f.jsonl', '--on-error', 'quarantine']);
  expect(again.report?.loads[0]?.files[0]?.status).toBe('skipped');
});

test('a record without an end takes the rest of the array with it, and what came before stays', async () => {
  const all = records(new Map([[600, '{"id":600,"name":"never closed}']]));
  await scene.write({ 'f.json': joined(all, '[', ',', ']') });
  const end = await scene.run(['f.json', '--on-error', 'quarantine']);
  expect([end.code, end.error]).toEqual([3, null]);
  expect(end.report?.loads[0]?.totals).toMatchObject({ inserted: 600, rejected: 1 });
  const [rejected] = await readRejects(join(scene.folder, 'rejects', 'f.json.rejects.csv'));
  expect(rejected?.['etl_reason']).toContain('nothing tells where the record ends');
  expect(rejected?.['etl_raw']).toContain('{"id":999,"name":"row 999"}]');
});

test('without a quarantine the first broken record still refuses the file', async () => {
  await scene.write({ 'f.jsonl': LINES(new Map([[500, '{"id":x}']])) });
  const end = await scene.run(['f.jsonl']);
  expect(end.error).toMatchObject({ code: 'ETL_JSON_MALFORMED', facts: { line: 501 } });
  expect(await content()).toEqual({ n: 0, s: null });
});
