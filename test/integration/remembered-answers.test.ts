import { expect, test } from 'vitest';
import { openUpsert } from '../../src/index.ts';
import { useScene } from '../support/scene.ts';
import { sentDuring } from '../support/sent-statements.ts';

/** A loader that is called again and again does not ask what cannot have changed, and asks what can. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name text, mood mood)`,
  `create type mood as enum ('fair', 'foul')`,
);

async function indexes(table: string): Promise<string[]> {
  const rows = await scene.db.query(
    `select indexdef from pg_indexes where tablename = $1 order by indexname`,
    [table.split('.').at(-1)],
  );
  return rows.map((row) => String(row['indexdef']).replace(/^.* USING /, ''));
}

test('indexes are spelled, and PostgreSQL’s own types read, once a session', async () => {
  const table = `${scene.table}_own`;
  await scene.db.query(`create table ${table} (id int primary key, name text)`);
  const asked = { table, indexes: [{ columns: ['name'] }] };
  const loader = await openUpsert({ databaseUrl: scene.db.url, ...asked });
  try {
    await loader.upsert([{ id: 1, name: 'a' }]);
    await loader.upsert([{ id: 1, name: 'b' }]);
    const { statements: third } = await sentDuring(() => loader.upsert([{ id: 2, name: 'c' }]));
    expect(third.filter((sql) => /etl_index_probe|with recursive base/.test(sql))).toEqual([]);
    // What others do meanwhile is seen all the same.
    await scene.db.query(
      `drop index ${table}_name_idx; alter table ${table} alter name type varchar(9)`,
    );
    const { statements: changed } = await sentDuring(() => loader.upsert([{ id: 3, name: 'd' }]));
    expect(changed.filter((sql) => sql.includes('with recursive base'))).not.toEqual([]);
    expect(await indexes(table)).toEqual(['btree (name)', 'btree (id)']);
    await expect(loader.upsert([{ id: 4, name: 'too long a name' }])).rejects.toMatchObject({
      code: 'ETL_ROW_INVALID',
    });
  } finally {
    await loader.close();
  }
  expect(await scene.db.query(`select id, name from ${table} order by id`)).toEqual([
    ...[
      { id: 1, name: 'b' },
      { id: 2, name: 'c' },
      { id: 3, name: 'd' },
    ],
  ]);
});

test('a type that somebody may change is read by each call', async () => {
  const loader = await openUpsert({ databaseUrl: scene.db.url, table: scene.table });
  try {
    for (const id of [1, 2]) await loader.upsert([{ id, name: 'x', mood: 'fair' }]);
    const { statements: third } = await sentDuring(() =>
      loader.upsert([{ id: 3, name: 'x', mood: 'foul' }]),
    );
    expect(third.filter((sql) => sql.includes('with recursive base'))).toHaveLength(2);
  } finally {
    await loader.close();
  }
});
