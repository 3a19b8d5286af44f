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
      await expect(refused, name).rejects.toThrow(/cannot accept|does not exist/);
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
    ['numeric(2,2)', ['0.995', '0.985', '-0.004']].flatMap((part) => part) as never,
  ];
  void rounded;
});
