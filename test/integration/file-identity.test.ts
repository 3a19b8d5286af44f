import { cp, mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { load } from '../support/load.ts';
import { useScene } from '../support/scene.ts';

/** Which file is which: other paths to the same one, and others at the same path. */
const scene = useScene(
  (table) => `create table ${table} (id int, name text);
    create table ${table}_keyed (id int primary key, name text)`,
);

/** Statuses of the files that the pattern finds. */
async function append(pattern: string): Promise<string[]> {
  return statuses(pattern, { table: scene.table, onConflict: 'append' });
}

async function update(pattern: string): Promise<string[]> {
  return statuses(pattern, { table: `${scene.table}_keyed`, onConflict: 'update' });
}

async function statuses(
  pattern: string,
  of: { readonly table: string; readonly onConflict: 'append' | 'update' },
): Promise<string[]> {
  const job = { loads: [{ ...of, files: [pattern] }] };
  const { report } = await load(scene.db.url, job, { cwd: scene.folder });
  expect(report.error).toBeNull();
  return report.loads[0]?.files.map(({ status }) => status) ?? [];
}

async function rows(table = scene.table): Promise<string[]> {
  const found = await scene.db.query<{ row: string }>(
    `select id || ' ' || name as row from ${table} order by id, name`,
  );
  return found.map(({ row }) => row);
}

const at = (...names: string[]): string => join(scene.folder, ...names);
const CLOCK_TICK_MS = 12;
const OLD = new Date('2020-01-02T03:04:05Z');

/** Writes a file whose time of modification says nothing, and not in the tick of the one before. */
async function put(name: string, rest: string): Promise<void> {
  await sleep(CLOCK_TICK_MS);
  await writeFile(at(name), `id,name\n${rest}`);
  await utimes(at(name), OLD, OLD);
}

async function link(name: string, to: string): Promise<void> {
  await rm(at(name), { force: true });
  await symlink(to, at(name));
}

describe('rows without a key', () => {
  test('are appended once, by whatever path the file is reached', async () => {
    await mkdir(at('real'));
    await put('real/a.csv', '1,a\n');
    await link('linked', 'real');
    await link('alone.csv', 'real/a.csv');
    expect(await append('linked/*.csv')).toEqual(['loaded']);
    for (const pattern of ['real/*.csv', at('real', 'a.csv'), 'linked/../linked/a.csv']) {
      expect(await append(pattern), pattern).toEqual(['skipped']);
    }
    expect(await append('alone.csv')).toEqual(['skipped']);
    await put('real/b.csv', '2,b\n');
    expect(await append('real/*.csv')).toEqual(['skipped', 'loaded']);
    expect(await append('linked/*.csv')).toEqual(['skipped', 'skipped']);
    expect(await rows()).toEqual(['1 a', '2 b']);
  });

  test('of a new release are appended, though their file has the name and times of the old one', async () => {
    for (const day of ['1', '2', '3']) await mkdir(at(day));
    await put('1/a.csv', '1,a\n');
    await put('2/a.csv', '2,b\n');
    await put('3/a.csv', '1,a\n');
    await utimes(at('3', 'a.csv'), OLD, new Date());
    const loads: string[][] = [];
    for (const day of ['1', '2', '3', '1', '2']) {
      await link('current', day);
      loads.push(await append('current/*.csv'));
    }
    expect(loads.flat()).toEqual(['loaded', 'loaded', 'loaded', 'skipped', 'skipped']);
    expect(await rows()).toEqual(['1 a', '1 a', '2 b']);
  });

  test('are not appended once more when their folder moves, and a link takes its place', async () => {
    await mkdir(at('in'));
    await put('in/a.csv', '1,a\n');
    expect(await append('in/*.csv')).toEqual(['loaded']);
    await rename(at('in'), at('elsewhere'));
    await link('in', 'elsewhere');
    expect(await append('in/*.csv')).toEqual(['skipped']);
    expect(await rows()).toEqual(['1 a']);
  });

  test('are known by the entry that was written last, though the clock of the server was set back', async () => {
    await mkdir(at('real'));
    await put('real/a.csv', '1,a\n');
    await link('linked', 'real');
    expect(await append('real/*.csv')).toEqual(['loaded']);
    await put('real/a.csv', '2,changed\n');
    expect(await append('linked/*.csv')).toEqual(['loaded']);
    await scene.db.query(
      `update etl.ledger set loaded_at = loaded_at - interval '1 hour' where path like '%linked%'`,
    );
    expect(await append('real/*.csv')).toEqual(['skipped']);
    expect(await append('linked/*.csv')).toEqual(['skipped']);
    expect(await rows()).toEqual(['1 a', '2 changed']);
  });

  test('that an earlier release of the ledger has are known by the path that was written then', async () => {
    await mkdir(at('real'));
    await put('real/a.csv', '1,a\n');
    await link('linked', 'real');
    await append('linked/*.csv');
    await scene.db.query(
      'alter table etl.ledger drop column real_path, drop column ctime_ms; delete from etl.migration where version = 5',
    );
    expect(await append('linked/*.csv')).toEqual(['skipped']);
    expect(await append('linked/*.csv')).toEqual(['skipped']);
    await put('real/b.csv', '2,b\n');
    expect(await append('linked/*.csv')).toEqual(['skipped', 'loaded']);
    expect(await append('real/b.csv')).toEqual(['skipped']);
    expect(await rows()).toEqual(['1 a', '2 b']);
  });
});

test('rows with a key of a release that is switched back to are written again', async () => {
  for (const day of ['1', '2']) await mkdir(at(day));
  await put('1/a.csv', '1,a\n');
  await put('2/a.csv', '1,b\n');
  for (const [day, row] of [
    ['1', '1 a'],
    ['2', '1 b'],
    ['1', '1 a'],
  ] as const) {
    await link('current', day);
    expect(await update('current/*.csv')).toEqual(['loaded']);
    expect(await rows(`${scene.table}_keyed`)).toEqual([row]);
  }
  expect(await update('current/*.csv')).toEqual(['skipped']);
});

describe('another file of the same size and time of modification', () => {
  test.for([
    ['written over it', (name: string) => put(name, '1,B\n')],
    [
      'put in its place',
      async (name: string) => {
        await put('other', '1,B\n');
        await rename(at('other'), at(name));
      },
    ],
    [
      'copied over it with its times',
      async (name: string) => {
        await put('other', '1,B\n');
        await cp(at('other'), at(name), { preserveTimestamps: true });
      },
    ],
  ] as const)('is loaded: %s', async ([, replace]) => {
    await put('a.csv', '1,a\n');
    expect(await update('a.csv')).toEqual(['loaded']);
    const before = await stat(at('a.csv'));
    await replace('a.csv');
    const after = await stat(at('a.csv'));
    expect([after.size, after.mtimeMs]).toEqual([before.size, before.mtimeMs]);
    expect(await update('a.csv')).toEqual(['loaded']);
    expect(await rows(`${scene.table}_keyed`)).toEqual(['1 B']);
    expect(await update('a.csv')).toEqual(['skipped']);
  });

  test('is loaded where the ledger is of an earlier release', async () => {
    await put('a.csv', '1,a\n');
    await update('a.csv');
    await scene.db.query('update etl.ledger set ctime_ms = null');
    expect(await update('a.csv')).toEqual(['skipped']);
    await put('a.csv', '1,B\n');
    expect(await update('a.csv')).toEqual(['loaded']);
    expect(await rows(`${scene.table}_keyed`)).toEqual(['1 B']);
  });
});
