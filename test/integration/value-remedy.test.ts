import pg from 'pg';
import { expect, test } from 'vitest';
import { expectTold } from '../support/etl.ts';
import { useScene } from '../support/scene.ts';

/** Values that are spelled in another way than PostgreSQL's: the remedy that is told works. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, day date, amount numeric)`,
);

test.for([
  ['NULL', '1,NULL,5', '--csv-null NULL'],
  ['a comma for the point', '1,2026-01-02,"1.234,56"', '1234.56'],
  ['the day first', '1,31.12.2025,5', `alter role current_user set datestyle = 'ISO, DMY'`],
] as const)('%s', async ([, record, remedy]) => {
  await scene.write({ 'a.csv': `id,day,amount\n${record}\n` });
  const end = await scene.run(['a.csv']);
  expectTold(end, 'ETL_ROW_INVALID', 1, { file: 'a.csv', line: 2 });
  expect(end.error?.remedy).toContain(remedy);
  expect(await scene.db.query(`select * from ${scene.table}`)).toEqual([]);
});

test('the text that stands for NULL is taken for it', async () => {
  await scene.write({ 'a.csv': 'id,day,amount\n1,NULL,5\n' });
  expect((await scene.run(['a.csv', '--csv-null', 'NULL'])).code).toBe(0);
  const found = await scene.db.query(`select day, amount from ${scene.table}`);
  expect(found).toEqual([{ day: null, amount: '5' }]);
});

test('a date that may mean two days is told in the plan, and the role decides which', async () => {
  const role = `dates_${scene.db.name}`;
  await scene.db.query(`create role ${role} login superuser password 'secret'`);
  const url = scene.db.url.replace(/\/\/[^@/]*@/, `//${role}:secret@`);
  const told = async (): Promise<string> => {
    const { code, stdout } = await scene.run(['a.csv', '--force'], { url });
    expect(code).toBe(0);
    return stdout.replaceAll(/\s+/g, ' ');
  };
  const day = `select day::text from ${scene.table}`;
  try {
    await scene.write({ 'a.csv': 'id,day,amount\n1,03.04.2025,5\n' });
    expect(await told()).toContain(
      'dates such as 03.04.2025, which the server reads as month, day',
    );
    expect(await scene.db.query(day)).toEqual([{ day: '2025-03-04' }]);
    const own = new pg.Client(url);
    await own.connect();
    await own.query(`alter role current_user set datestyle = 'ISO, DMY'`);
    await own.end();
    expect(await told()).toContain(
      'dates such as 03.04.2025, which the server reads as day, month',
    );
    expect(await scene.db.query(day)).toEqual([{ day: '2025-04-03' }]);
  } finally {
    await scene.db.query(`drop role ${role}`);
  }
});
