import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { expectTold } from '../support/etl.ts';
import { load } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';
import { useScene } from '../support/scene.ts';

/** The rows that lose to another row of the files, and the one that each has lost to. */
const scene = useScene((table) => `create table ${table} (id int primary key, v int, name text)`);

interface Lost {
  readonly etl_file: string;
  readonly etl_line: string;
  readonly etl_winner_file: string;
  readonly etl_winner_line: string;
  readonly id: string;
  readonly v: string;
  readonly name: string;
}

async function keptIn(folder: string): Promise<Lost[]> {
  const names = await readdir(folder).catch(() => []);
  const all: Lost[] = [];
  for (const name of names.sort()) {
    expect(name).toMatch(/\.superseded\.csv$/);
    all.push(...parse<Lost>(await readFile(join(folder, name), 'utf8'), { columns: true }));
  }
  return all;
}

const HEAD = 'id,v,name\n';

test('each row that lost, where it stood, and the row that stays', async () => {
  await scene.db.query(`insert into ${scene.table} values (5, 9, 'before')`);
  await scene.write({
    'a.csv': `${HEAD}1,1,"two\nlines"\n1,2,again\n2,1,alone\n5,1,over what was there\n`,
    'b.csv': `${HEAD}3,1,same\n3,1,same\n1,3,"b, last"\n`,
  });
  const end = await scene.run(['*.csv', '--keep-superseded', 'lost', '--strategy', 'sequential']);
  expect([end.code, end.report?.loads[0]?.totals.superseded]).toEqual([0, 2]);
  const [a, b] = [join(scene.folder, 'a.csv'), join(scene.folder, 'b.csv')];
  const lost = await keptIn(join(scene.folder, 'lost'));
  expect(lost.map((row) => Object.values<string>({ ...row }))).toEqual([
    [a, '2', b, '4', '1', '1', 'two\nlines'],
    [a, '4', b, '4', '1', '2', 'again'],
    [b, '2', b, '3', '3', '1', 'same'],
  ]);
  expect(end.stdout.replaceAll(/\s+/g, ' ')).toContain('3 rows of 2 inputs lost to another row');
});

test('bad rows are no losers, nor do they win', async () => {
  await scene.write({
    'a.csv': `${HEAD}1,1,a\n1,bad,b\n2,1,c\n`,
    'b.csv': `${HEAD}1,x,d\n2,2,e\n`,
  });
  const words = ['*.csv', '--keep-superseded', 'lost', '--on-error', 'quarantine'];
  expect((await scene.run(words)).code).toBe(3);
  const lost = await keptIn(join(scene.folder, 'lost'));
  expect(lost.map((row) => [row.id, row.name, row.etl_winner_line])).toEqual([['2', 'c', '3']]);
});

test('a folder that cannot be made ends the run before anything is loaded', async () => {
  await scene.write({ 'a.csv': `${HEAD}1,1,a\n`, file: 'no folder' });
  const end = await scene.run(['a.csv', '--keep-superseded', 'file/lost']);
  expectTold(end, 'ETL_USAGE', 2);
  expect(await scene.db.query(`select from ${scene.table}`)).toEqual([]);
});

describe('random files', () => {
  test('against arithmetic', async () => {
    let cases = 0;
    const row = fc.record({
      id: fc.integer({ min: 1, max: 6 }),
      v: fc.option(fc.integer({ min: 1, max: 3 })),
    });
    const files = fc.array(fc.array(row, { maxLength: 12 }), { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(
      files,
      fc.constantFrom('update' as const, 'ignore' as const, 'newest' as const),
      fc.constantFrom('auto' as const, 'sequential' as const, 'partitioned' as const),
      async (random, onConflict, strategy) => {
        const { db, table, folder } = scene;
        await db.query(`truncate ${table}`);
        const name = (place: number): string => `${++cases}-${place}.csv`;
        const names = random.map((_, place) => name(place));
        const text = (rows: (typeof random)[number]): string =>
          HEAD + rows.map(({ id, v }, at) => `${id},${v ?? ''},row ${at}\n`).join('');
        await scene.write(
          Object.fromEntries(random.map((rows, at) => [names[at] ?? '', text(rows)])),
        );
        const kept = join(folder, `lost-${cases}`);
        const versionColumn = onConflict === 'newest' ? 'v' : null;
        const { report } = await load(
          db.url,
          {
            settings: { keepSuperseded: kept },
            loads: [{ table, files: names, onConflict, strategy, versionColumn, order: 'listed' }],
          },
          { cwd: folder },
        );
        expect(report.error).toBeNull();
        const told = (await keptIn(kept)).map((lost) =>
          [lost.etl_file, lost.etl_line, lost.etl_winner_file, lost.etl_winner_line, lost.id].join(
            ' ',
          ),
        );
        const paths = names.map((file) => join(folder, file));
        expect(told.sort()).toEqual(losersOf(random, onConflict, paths).sort());
      },
    );
    await checkProperty('test/integration/keep-superseded.test.ts', property, 25);
  }, 120_000);
});

/** By arithmetic: file and line of each loser, and of the row of its key that stays. */
function losersOf(
  files: readonly (readonly { readonly id: number; readonly v: number | null }[])[],
  policy: 'update' | 'ignore' | 'newest',
  paths: readonly string[],
): string[] {
  const all = files.flatMap((rows, file) =>
    rows.map(({ id, v }, at) => ({
      id,
      v: v ?? -Infinity,
      where: `${paths[file] ?? ''} ${at + 2}`,
    })),
  );
  return all.flatMap((one) => {
    const same = all.filter(({ id }) => id === one.id);
    const best = Math.max(...same.map(({ v }) => v));
    const winner =
      policy === 'ignore'
        ? same[0]
        : same.filter(({ v }) => policy === 'update' || v === best).at(-1);
    return winner === undefined || winner === one ? [] : [`${one.where} ${winner.where} ${one.id}`];
  });
}
