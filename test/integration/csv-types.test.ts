import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadSequentially, tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { expectNoLeaks } from '../support/database.ts';
import { createServerTypes, type ServerTypes } from '../support/server-types.ts';
import {
  createTwice,
  createWorkplace,
  loadTable,
  messageOf,
  rowsOf,
  sqlText,
  tryLoad,
  writeCsv,
  type Workplace,
} from '../support/table-pair.ts';
import { NO_INPUT, TYPE_SAMPLES } from '../support/type-samples.ts';

/** Every type that a column can have, by CSV, against the oracle's INSERT of the same texts. */
let place: Workplace;
let types: ServerTypes;

beforeAll(async () => {
  place = await createWorkplace();
  types = await createServerTypes(place.db);
});
afterEach(() => expectNoLeaks(place.db.url));
afterAll(() => place.remove());

describe('the table of samples', () => {
  it('has every base type, range and multirange of the server that takes input', async () => {
    const rows = await place.db.query<{ name: string }>(
      `select typname as name from pg_type t
        where typtype in ('b', 'r', 'm') and typnamespace = 'pg_catalog'::regnamespace
          and not exists (select from pg_type e where e.typarray = t.oid)`,
    );
    const unknown = rows
      .map(({ name }) => name)
      .filter((name) => TYPE_SAMPLES[name] === undefined && !NO_INPUT.has(name));
    expect(unknown).toEqual([]);
    expect(types.base.length).toBeGreaterThan(75);
  });

  it('leaves out only types that refuse every input', async () => {
    for (const name of NO_INPUT) {
      const refused = place.db.query(`select $1::text::pg_catalog.${name}`, ['1']);
      await expect(refused, name).rejects.toThrow(/cannot accept|not implemented|does not exist/);
    }
  });
});

describe('a table with a column of every type', () => {
  it.each(['update', 'ignore', 'newest', 'append'] as const)(
    'is loaded with %s',
    async (onConflict) => {
      const kinds = [...types.base, ...types.arrays];
      const columns = ['id', 'version', ...kinds.map((_, index) => `c${index}`)];
      const definitions = kinds.map(({ sqlType }, index) => `c${index} ${sqlType}`);
      const key = onConflict === 'append' ? '' : ' primary key';
      const name = `all_${onConflict}`;
      await createTwice(
        place,
        name,
        `(id bigint${key}, version integer, ${definitions.join(', ')})`,
      );
      const count = Math.max(...kinds.map(({ texts }) => texts.length)) + 1;
      const file = (first: number, rowsPerKey: number): OracleFile => ({
        columns,
        rows: Array.from({ length: count }, (_, row) => [
          String(first + Math.floor(row / rowsPerKey)),
          row % 5 === 0 ? null : String(1 + ((row + first) % 3)),
          ...kinds.map(({ texts }) => texts[(row + first) % (texts.length + 1)] ?? null),
        ]),
      });
      const files = [file(1, 1), file(5, 2), file(9, 1)];
      const versionColumn = onConflict === 'newest' ? 'version' : null;
      const target = { table: `${name}_oracle`, columns, key: ['id'], onConflict, versionColumn };
      await loadSequentially((sql, params) => place.db.query(sql, params), target, files);
      const paths = await writeCsv(place, name, files);
      await loadTable(place, { table: name, files: paths, onConflict, versionColumn });
      expect(await rowsOf(place, name)).toEqual(await rowsOf(place, `${name}_oracle`));
      const oracle = await place.db.query(tableDigest(`${name}_oracle`));
      expect(await place.db.query(tableDigest(name))).toEqual(oracle);
    },
  );
});

describe('modifiers of types', () => {
  const rounded: readonly (readonly [string, readonly string[]])[] = [
    ['varchar(3)', ['abc', 'ab ', 'abc   ', '', 'äöü']],
    ['char(3)', ['abc', 'a', '', 'abc   ', 'äöü']],
    ['numeric(5,2)', ['1.005', '999.994', '-0.005', 'NaN', '1e2']],
    ['bit(3)', ['101', '000']],
    ['varbit(3)', ['', '1', '101']],
    ['timestamp(0)', ['2024-02-29 12:00:00.5', '2024-12-31 23:59:59.999', 'infinity']],
    ['timestamptz(3)', ['2024-02-29 12:00:00.12345+01', '-infinity']],
    ['time(1)', ['12:00:00.05', '23:59:59.99']],
    ['timetz(0)', ['12:00:00.5+02']],
    ['interval day to second', ['1 year 2 days 03:04:05.6', '5', '1 02:03']],
    ['interval year to month', ['1 year 2 mons 3 days', '5', '1-2']],
    ['interval hour', ['5', '1 day 5:59']],
    ['interval second(1)', ['1.25', '1.35']],
    ['interval(2)', ['1 day 00:00:01.005']],
    ['varchar(3)[]', ['{abc,NULL,"ab     "}', '{{a},{b}}']],
    ['char(2)[]', ['{a,"b   "}']],
    ['numeric(5,2)[]', ['{1.005,NULL,9.999}']],
    ['bit(2)[]', ['{10,01}']],
    ['timestamp(0)[]', ['{"2024-02-29 12:00:00.5"}']],
    ['interval hour[]', ['{"1 day 5:59"}']],
  ];
  const refused: readonly (readonly [string, string])[] = [
    ['varchar(3)', 'abcd'],
    ['char(3)', 'abcd'],
    ['numeric(5,2)', '1000'],
    ['numeric(5,2)', 'Infinity'],
    ['bit(3)', '10'],
    ['varbit(3)', '1010'],
    ['varchar(3)[]', '{abc,abcd}'],
    ['numeric(5,2)[]', '{1,1000}'],
    ['bit(2)[]', '{1}'],
    ['smallint', '32768'],
    ['integer', '1.0'],
    ['tiny', '10'],
    ['code', 'abcdef'],
    ['code', 'never'],
    ['mood', 'glad'],
    ['uuid', 'a0eebc99'],
    ['date', '2024-02-30'],
    ['json', '{'],
    ['pair', '(1,2)'],
    ['int4range', '[2,1]'],
    ['integer[]', '{{1},{2,3}}'],
    ['pg_lsn', 'x'],
  ];

  /** The texts stand in the statement: in a parameter INTERVAL would not know its fields. */
  it('round as an INSERT of the same text does', async () => {
    const definitions = rounded.map(([sqlType], index) => `c${index} ${sqlType}`);
    await createTwice(place, 'rounded', `(id integer primary key, ${definitions.join(', ')})`);
    const rows = Array.from({ length: 6 }, (_, row) => [
      String(row),
      ...rounded.map(([, texts]) => texts[row] ?? null),
    ]);
    for (const row of rows) {
      const values = row.map((text) => (text === null ? 'null' : sqlText(text)));
      await place.db.query(`insert into rounded_oracle values (${values.join(', ')})`);
    }
    const columns = ['id', ...rounded.map((_, index) => `c${index}`)];
    const files = await writeCsv(place, 'rounded', [{ columns, rows }]);
    await loadTable(place, { table: 'rounded', files });
    expect(await rowsOf(place, 'rounded')).toEqual(await rowsOf(place, 'rounded_oracle'));
  });

  it('refuse what an INSERT of the same text refuses, and name the place', async () => {
    for (const [index, [sqlType, text]] of refused.entries()) {
      const name = `refused_${index}`;
      await createTwice(place, name, `(id integer primary key, c ${sqlType})`);
      const oracle = await messageOf(
        place.db.query(`insert into ${name}_oracle values (2, ${sqlText(text)})`),
      );
      const rows = [
        ['1', null],
        ['2', text],
      ];
      const files = await writeCsv(place, name, [{ columns: ['id', 'c'], rows }]);
      const { report } = await tryLoad(place, [{ table: name, files }]);
      expect(report.status, name).toBe('failed');
      expect(report.error, `${sqlType}: ${text}`).toMatchObject({
        code: 'ETL_ROW_INVALID',
        facts: { file: `${name}-0.csv`, line: 3 },
      });
      expect(report.error?.sentence).toContain(oracle);
      expect(await place.db.query(`select * from ${name}`)).toEqual([]);
    }
  });
});

describe('quoted empty fields', () => {
  /** Types that have a value which is spelled by no characters at all. */
  const EMPTY_IS_VALUE = new Set([
    ...['text', 'varchar', 'bpchar', 'name', 'char', 'bytea', 'refcursor', 'xml', 'tsvector'],
    ...['tsquery', 'bit', 'varbit', 'int2vector', 'oidvector', 'mood', 'code', 'blind'],
  ]);

  it('are NULL where no value is spelled so, and empty texts where one is', async () => {
    const kinds = [...types.base, ...types.arrays];
    const definitions = kinds.map(({ sqlType }, index) => `c${index} ${sqlType}`);
    await place.db.query(
      `create table empties (id integer primary key, ${definitions.join(', ')})`,
    );
    const file = join(place.folder, 'empties.csv');
    const header = ['id', ...kinds.map((_, index) => `c${index}`)].join(',');
    await writeFile(file, `${header}\n1${',""'.repeat(kinds.length)}\n`);
    await loadTable(place, { table: 'empties', files: [file] });
    const [row = {}] = await rowsOf(place, 'empties');
    const kept = kinds.filter((_, index) => row[`c${index}`] !== null).map(({ name }) => name);
    expect(new Set(kept)).toEqual(EMPTY_IS_VALUE);
  });
});
