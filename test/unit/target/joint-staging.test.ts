import { describe, expect, it } from 'vitest';
import { jointLayout, jointLayoutKey, unshareable } from '../../../src/target/joint-staging.ts';
import type { JointTable } from '../../../src/target/joint-staging.ts';
import { mergeSql, type MergeTarget } from '../../../src/target/merge-sql.ts';
import { column, csv, filePlan } from '../plan/fixtures.ts';

const STAGING = { sqlName: 'staged', kind: 'temp', fileColumn: false } as const;
const own: JointTable = {
  columns: [column('id', 'int8', { notNull: true }), column('name'), column('n', 'int4')],
  where: null,
};
const names: JointTable = {
  columns: [column('who', 'text', { notNull: true }), column('n', 'text')],
  where: null,
};
const file = filePlan(0, {
  description: csv(['id', 'name', 'n', 'rest']),
  targets: ['id', 'name', 'n', null],
  further: [[null, 'who', 'n', null]],
});

const mergeOf = ({ columns }: JointTable, key: string[]): MergeTarget => ({
  schema: 'app',
  name: 'names',
  columns,
  key,
  onConflict: 'ignore',
  versionColumn: null,
});

describe('the staging of several tables', () => {
  it('stages each column once, as text where the tables read it as different types', () => {
    const { table, files } = jointLayout([own, names], [file], STAGING);
    expect(table.columns.map(({ name, sqlType, notNull }) => [name, sqlType, notNull])).toEqual([
      ['c0', 'bigint', true],
      ['c1', 'text', true],
      ['c2', 'text', false],
      ['c3', 'text', false],
    ]);
    expect(table.columns.map(({ target, cast }) => [target, cast])).toEqual([
      ['id', null],
      ['name', null],
      ['n', '"pg_catalog"."int4"'],
      [null, null],
    ]);
    expect(table.views?.[0]?.columns.map(({ target, cast }) => [target, cast])).toEqual([
      [null, null],
      ['who', null],
      ['n', null],
      [null, null],
    ]);
    // An empty text is NULL to the number, and a text to the text.
    expect(files.get(0)).toMatchObject({
      forceNull: ['c0'],
      fileColumns: ['id', 'name', 'n', 'rest'],
    });
    expect(table.columns[2]?.emptyIsNull).toBe(true);
  });

  it('makes a merge of each view by its own names', () => {
    const { table } = jointLayout([own, names], [file], STAGING);
    const view = table.views?.[0];
    if (view === undefined) throw new Error('there is a view');
    const sql = mergeSql(mergeOf(names, ['who']), { tables: [view], file: null, owner: null });
    expect(sql).toContain('insert into "app"."names" as t ("who", "n")');
    expect(sql).toContain('c1 as v0, c2 as v1');
  });

  it('lets a condition see the columns of both tables by their names', () => {
    const some = { ...names, where: `"n" > 'x' and id > 3` };
    const { table } = jointLayout([own, some], [file], STAGING);
    const view = table.views?.[0];
    expect(view?.where).toBe(
      `(select ("n" > 'x' and id > 3) from (select c1 as "who", c2 as "n", c0 as "id", c1 as "name") of_the_row)`,
    );
    // A NULL in the key of a row that is left out is nobody's concern.
    expect(table.columns[1]?.notNull).toBe(false);
    if (view === undefined) return;
    const sql = mergeSql(mergeOf(some, ['who']), { tables: [view], file: null, owner: null });
    expect(sql).toContain(`from staged where ${view.where}`);
  });

  it('tells files apart that go to the tables in other ways', () => {
    const keyOf = (further: (string | null)[]): string =>
      jointLayoutKey([own, names], { ...file, further: [further] });
    expect(keyOf([null, 'who', 'n', null])).toBe(jointLayoutKey([own, names], file));
    expect(keyOf([null, 'who', null, null])).not.toBe(keyOf([null, 'who', 'n', null]));
    expect(keyOf([null, null, 'who', null])).not.toBe(keyOf([null, 'who', null, null]));
  });

  it('finds what no staging serves', () => {
    const lists = { columns: [column('who', '_text')], where: null };
    const json = {
      ...file,
      description: {
        ...({ kind: 'json', records: null, found: true, lines: true } as const),
        columns: ['id', 'name', 'n', 'rest'].map((name) => ({ name, pointer: `/${name}` })),
      },
    } as unknown as typeof file;
    const asJson = { columns: [column('who', 'jsonb')], where: null };
    expect(unshareable([own, lists], { ...file, further: [[null, 'who', null, null]] })).toEqual(
      [],
    );
    expect(unshareable([own, asJson], { ...json, further: [[null, 'who', null, null]] })).toEqual([
      1,
    ]);
  });
});
