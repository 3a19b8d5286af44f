import { expect, test } from 'vitest';
import { STRATEGIES } from '../../src/job/schema.ts';
import { useScene } from '../support/scene.ts';

/** The rule of `newest` where versions are equal, or not there. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, version int, name text);
              insert into ${table} values
                (1, null, 'table'), (2, 5, 'table'), (3, 5, 'table'), (4, 5, 'table')`,
);

test.each(STRATEGIES)(
  'among equal versions the last wins, and none is the oldest (%s)',
  async (strategy) => {
    await scene.write({
      'a.csv': 'id,version,name\n1,3,a\n2,5,a\n3,4,a\n4,,a\n5,,a\n6,2,a\n7,1,a\n',
      'b.csv': 'id,version,name\n1,3,b\n5,,b\n6,,b\n7,1,b1\n7,1,b2\n',
    });
    const policy = ['--on-conflict', 'newest', '--version-column', 'version'];
    const end = await scene.run(['*.csv', ...policy, '--strategy', strategy]);
    expect([end.code, end.error]).toEqual([0, null]);
    const rows = await scene.db.query(`select id, name from ${scene.table} order by id`);
    expect(rows.map(({ id, name }) => `${String(id)} ${String(name)}`)).toEqual([
      ...['1 b', '2 a', '3 table', '4 table', '5 b', '6 a', '7 b2'],
    ]);
  },
);
