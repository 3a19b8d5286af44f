import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TYPE } from '../../tools/parquet-corpus/corpus-columns.ts';
import { expectNoLeaks } from '../support/database.ts';
import { createServerTypes, type ServerTypes } from '../support/server-types.ts';
import {
  createWorkplace,
  loadTable,
  rowsOf,
  tryLoad,
  type Workplace,
} from '../support/table-pair.ts';
import { REFUSED_TWINS, TWIN_CASES } from '../support/twin-columns.ts';
import { writeTwins, type TwinColumn } from '../support/twin-files.ts';

/** Whoever loads the same rows from CSV and from Parquet gets the same table. */
let place: Workplace;
let types: ServerTypes;
let tables = 0;

beforeAll(async () => {
  place = await createWorkplace();
  types = await createServerTypes(place.db);
});
afterEach(() => expectNoLeaks(place.db.url));
afterAll(() => place.remove());

describe('a table that exists', () => {
  it.each(['UTC', 'America/New_York'])(
    'takes each Parquet type into each type that makes sense (%s)',
    async (timeZone) => {
      const columns = TWIN_CASES.flatMap(({ targets, ...column }) =>
        targets.map((target) => ({ ...column, target })),
      );
      await expectTwins(`matrix_${timeZone.slice(0, 3)}`, columns, { timeZone });
    },
  );

  it('takes text into every type of column', async () => {
    const columns = [...types.base, ...types.arrays].map(({ name, sqlType, texts }) => ({
      target: sqlType,
      type: { kind: 'string' } as const,
      // PostgreSQL's cast of text to regclass reads names only, where its input reads numbers, too.
      texts: name === 'regclass' ? ['pg_class', '"pg_type"', ''] : [...texts, ''],
    }));
    await expectTwins('text_into', columns);
  });
});

describe('a value that a type cannot hold', () => {
  it.each(REFUSED_TWINS)(
    'is refused with its place: $text ($type.kind) as $target',
    async (twin) => {
      const name = `refused_${++tables}`;
      const column = {
        name: 'c',
        type: twin.type,
        texts: [null, twin.text, null],
        ...(twin.stored === undefined ? {} : { stored: [null, ...twin.stored, null] }),
      };
      const id = { name: 'id', type: TYPE.int64, texts: ['1', '2', '3'] };
      const files = await writeTwins(place.folder, name, [id, column]);
      await place.db.query(`create table ${name} (id bigint primary key, c ${twin.target})`);
      for (const [format, line] of [
        ['csv', 3],
        ['parquet', 2],
      ] as const) {
        const { report } = await tryLoad(place, [{ table: name, files: [files[format]] }]);
        expect(report.error, format).toMatchObject({
          facts: { file: `${name}.${format}`, line, column: 'c' },
        });
        expect(report.status).toBe('failed');
      }
      expect(await place.db.query(`select * from ${name}`)).toEqual([]);
    },
  );
});

describe('a file of a group with a value that only the merge could refuse', () => {
  it.each([
    ['auto', 1],
    ['auto', 4],
    ['partitioned', 1],
    ['partitioned', 4],
  ] as const)('takes nothing of it into the table: %s, %s', async (strategy, concurrency) => {
    const name = `group_${++tables}`;
    await place.db.query(`create table ${name} (id bigint primary key, c integer)`);
    const files: string[] = [];
    for (const [file, texts] of [
      ['10', '11'],
      ['20', 'bad'],
      ['30', '31'],
    ].entries()) {
      const id = { name: 'id', type: TYPE.int64, texts: texts.map((_, row) => `${file}${row}`) };
      const column = { name: 'c', type: TYPE.string, texts };
      files.push((await writeTwins(place.folder, `${name}_${file}`, [id, column])).parquet);
    }
    const { report } = await tryLoad(place, [{ table: name, files, strategy }], { concurrency });
    expect(report.error).toMatchObject({
      sentence: 'invalid input syntax for type integer: "bad".',
      facts: { file: `${name}_1.parquet`, line: 2, column: 'c', value: 'bad' },
    });
    const statuses = report.loads[0]?.files.map(({ status }) => status);
    const loaded = await place.db.query(`select c from ${name} order by c`);
    expect(statuses).toEqual([
      expect.stringMatching(/^(loaded|not-loaded)$/),
      'failed',
      'not-loaded',
    ]);
    expect(loaded).toEqual(statuses?.[0] === 'loaded' ? [{ c: 10 }, { c: 11 }] : []);
  });
});

/** Loads the columns by both formats into a table each, which must be equal. */
async function expectTwins(
  name: string,
  columns: readonly (Omit<TwinColumn, 'name'> & { readonly target: string })[],
  settings: { timeZone?: string } = {},
): Promise<void> {
  const named = columns.map((column, index) => ({ ...column, name: `c${index}` }));
  const definitions = named.map((column) => `${column.name} ${column.target}`);
  const count = Math.max(...columns.map(({ texts }) => texts.length));
  const id: TwinColumn = {
    name: 'id',
    type: { kind: 'integer', bits: 64, signed: true },
    texts: Array.from({ length: count }, (_, row) => String(row)),
  };
  const files = await writeTwins(place.folder, name, [id, ...named]);
  for (const format of ['csv', 'parquet'] as const) {
    const table = `${name}_${format}`;
    await place.db.query(
      `create table ${table} (id bigint primary key, ${definitions.join(', ')})`,
    );
    await loadTable(place, { table, files: [files[format]] }, settings);
  }
  const [csv, parquet] = await Promise.all(
    ['csv', 'parquet'].map((format) => rowsOf(place, `${name}_${format}`)),
  );
  const labelled = (rows: Record<string, string | null>[] = []) =>
    named.map(({ name: column, type, target, texts }) => ({
      of: `${JSON.stringify(type)} into ${target}`,
      texts,
      values: rows.map((row) => row[column]),
    }));
  expect(labelled(parquet)).toEqual(labelled(csv));
}
