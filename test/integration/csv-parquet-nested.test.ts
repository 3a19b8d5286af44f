import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as wasm from 'parquet-wasm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tableDigest } from '../../tools/oracle.ts';
import { integer, time, timestamp, TYPE } from '../../tools/parquet-corpus/corpus-columns.ts';
import { rustFile } from '../../tools/parquet-corpus/rust-files.ts';
import type { ParquetType } from '../../src/source/source-file.ts';
import { expectNoLeaks } from '../support/database.ts';
import { corpusFile, corpusNames, corpusTwin } from '../support/parquet-corpus.ts';
import { csvOf } from '../support/random-load.ts';
import { createServerTypes } from '../support/server-types.ts';
import {
  createWorkplace,
  loadTable,
  rowsOf,
  tryLoad,
  type Workplace,
} from '../support/table-pair.ts';
import { writeTwins, type TwinColumn } from '../support/twin-files.ts';

/** Twins of files whose columns are nested, whose table is created, and that bring nanoseconds. */
let place: Workplace;

beforeAll(async () => {
  place = await createWorkplace();
  await createServerTypes(place.db);
});
afterEach(() => expectNoLeaks(place.db.url));
afterAll(() => place.remove());

describe('lists, maps and structs', () => {
  const strings: ParquetType = { kind: 'list', element: TYPE.string };
  const numbers: ParquetType = { kind: 'list', element: integer(32, true) };
  const matrix: ParquetType = { kind: 'list', element: numbers };
  const struct: ParquetType = {
    kind: 'struct',
    fields: [
      { name: 'city', type: TYPE.string, nullable: true },
      { name: 'lines', type: strings, nullable: true },
    ],
  };
  const map: ParquetType = { kind: 'map', key: TYPE.string, value: integer(32, true) };

  /** Of each row the JSON, and the array literal where the column is an array. */
  const cases: readonly {
    readonly type: ParquetType;
    readonly json: readonly (string | null)[];
    readonly literals?: readonly (string | null)[];
    readonly asJson?: readonly string[];
    readonly asArray?: readonly string[];
  }[] = [
    {
      type: numbers,
      json: ['[1, null, 3]', '[]', null, '[-7]'],
      literals: ['{1,NULL,3}', '{}', null, '{-7}'],
      asJson: ['jsonb', 'json', 'text'],
      asArray: ['integer[]', 'bigint[]', 'numeric(5,1)[]', 'text[]', 'counts', 'real[]'],
    },
    {
      type: matrix,
      json: ['[[1, 2], [null, 4]]', '[]', '[[5]]', null],
      literals: ['{{1,2},{NULL,4}}', '{}', '{{5}}', null],
      asJson: ['jsonb'],
      asArray: ['integer[]', 'text[]'],
    },
    {
      type: strings,
      json: ['["a, b", null, "null", "q\\" \\\\ {}", ""]', '[]', '[" é "]', null],
      literals: ['{"a, b",NULL,"null","q\\" \\\\ {}",""}', '{}', '{" é "}', null],
      asJson: ['jsonb', 'json', 'text'],
      asArray: ['text[]', 'varchar(12)[]', 'name[]', 'char(8)[]'],
    },
    {
      type: strings,
      json: ['["2024-02-29", "infinity"]', '["epoch", null]', null, '[]'],
      literals: ['{2024-02-29,infinity}', '{epoch,NULL}', null, '{}'],
      asArray: ['date[]', 'timestamp[]', 'timestamptz(0)[]', 'text[]'],
    },
    {
      type: strings,
      json: ['["sad", ""]', '["ok"]', null, '["say \\"hi\\", twice"]'],
      literals: ['{sad,""}', '{ok}', null, '{"say \\"hi\\", twice"}'],
      asArray: ['mood[]', 'text[]'],
    },
    {
      type: strings,
      json: ['["{\\"a\\": 1}"]', '["[1.50]", null]', null, '[]'],
      literals: ['{"{\\"a\\": 1}"}', '{[1.50],NULL}', null, '{}'],
      asArray: ['jsonb[]', 'json[]'],
    },
    {
      type: struct,
      json: ['{"city": "Zürich", "lines": ["x", null]}', '{"city": null, "lines": null}', null],
      asJson: ['jsonb', 'json', 'text'],
    },
    {
      type: { kind: 'list', element: struct },
      json: ['[{"city": "A", "lines": []}, null]', '[]', null],
      literals: ['{"{\\"city\\": \\"A\\", \\"lines\\": []}",NULL}', '{}', null],
      asJson: ['jsonb', 'json'],
      asArray: ['jsonb[]'],
    },
    { type: map, json: ['{"b": 1, "a": null}', '{}', null], asJson: ['jsonb', 'json', 'text'] },
  ];

  it('become JSON, or arrays where the column is one, as from CSV', async () => {
    const columns = cases.flatMap(({ type, json, literals = [], asJson = [], asArray = [] }) => [
      ...asJson.map((target) => ({ type, json, texts: json, target })),
      ...asArray.map((target) => ({ type, json, texts: literals, target })),
    ]);
    const id = { type: TYPE.int32, json: ['0', '1', '2', '3'], texts: ['0', '1', '2', '3'] };
    const all = [{ ...id, target: 'integer primary key' }, ...columns];
    const name = (index: number): string => `c${index}`;
    const files = {
      csv: join(place.folder, 'nested.csv'),
      parquet: join(place.folder, 'nested.parquet'),
    };
    const rows = [0, 1, 2, 3].map((row) => all.map(({ texts }) => texts[row] ?? null));
    await writeFile(files.csv, csvOf({ columns: all.map((_, index) => name(index)), rows }));
    const written = all.map(({ type, json }, index) => ({
      name: name(index),
      type,
      texts: [0, 1, 2, 3].map((row) => json[row] ?? null),
    }));
    const properties = new wasm.WriterPropertiesBuilder();
    await writeFile(files.parquet, rustFile('nested', written, properties).bytes);
    const definitions = all.map(({ target }, index) => `${name(index)} ${target}`);
    for (const format of ['csv', 'parquet'] as const) {
      await place.db.query(`create table nested_${format} (${definitions.join(', ')})`);
      await loadTable(place, { table: `nested_${format}`, files: [files[format]] });
    }
    expect(await rowsOf(place, 'nested_parquet')).toEqual(await rowsOf(place, 'nested_csv'));
  });

  it('that are ragged are refused by an array, as from CSV', async () => {
    const written = [
      { name: 'id', type: TYPE.int32, texts: ['1'] },
      { name: 'c', type: matrix, texts: ['[[1], [2, 3]]'] },
    ];
    const builder = new wasm.WriterPropertiesBuilder();
    const parquet = join(place.folder, 'ragged.parquet');
    await writeFile(parquet, rustFile('ragged', written, builder).bytes);
    const csv = join(place.folder, 'ragged.csv');
    await writeFile(csv, 'id,c\n1,"{{1},{2,3}}"\n');
    await place.db.query('create table ragged (id integer primary key, c integer[])');
    for (const [file, line] of [
      [csv, 2],
      [parquet, 1],
    ] as const) {
      const { report } = await tryLoad(place, [{ table: 'ragged', files: [file] }]);
      expect(report.error).toMatchObject({ code: 'ETL_ROW_INVALID', facts: { line, column: 'c' } });
    }
  });
});

/** Two more files in the corpus are one more test. */
describe('a table that is created from Parquet', () => {
  it.each(corpusNames())('takes its CSV twin, too: %s', async (corpus) => {
    const name = corpus.replaceAll('-', '_');
    const { columns, rows } = corpusTwin(corpus);
    const csv = join(place.folder, `${name}.csv`);
    await writeFile(csv, csvOf({ columns: columns.map((column) => column.name), rows }));
    const { path } = corpusFile(corpus);
    const made = await loadTable(place, { table: `${name}_parquet`, files: [path], key: ['id'] });
    expect(made.plan.table.create).toContain('primary key (id)');
    await place.db.query(`create table ${name}_csv (like ${name}_parquet including all)`);
    await loadTable(place, { table: `${name}_csv`, files: [csv] });
    expect(await rowsOf(place, `${name}_csv`)).toEqual(await rowsOf(place, `${name}_parquet`));
    const [digest] = await place.db.query(tableDigest(`${name}_parquet`));
    expect(await place.db.query(tableDigest(`${name}_csv`))).toEqual([digest]);
    expect(digest?.['digest']).toContain(`${rows.length} rows`);
  });
});

describe('nanoseconds', () => {
  const fractions = ['000000000', '123456499', '123456500', '123457500', '123456501', '999999999'];
  const nanoseconds = fractions.map((digits) => 86_399_000_000_000n + BigInt(digits));
  const column = (name: string, type: ParquetType, texts: string[], stored: unknown[]) => ({
    name,
    type,
    texts,
    stored,
  });
  const columns: readonly TwinColumn[] = [
    { name: 'id', type: TYPE.int32, texts: fractions.map((_, row) => String(row)) },
    column(
      'local',
      timestamp('ns', false),
      fractions.map((digits) => `1970-01-01 23:59:59.${digits}`),
      nanoseconds,
    ),
    column(
      'instant',
      timestamp('ns', true),
      fractions.map((digits) => `1969-12-31 23:59:59.${digits}+00`),
      nanoseconds.map((value) => value - 86_400_000_000_000n),
    ),
    column(
      'clock',
      time('ns', false),
      fractions.map((digits) => `23:59:59.${digits}`),
      nanoseconds,
    ),
  ];

  it('are rounded as PostgreSQL rounds the digits of a text, and the plan says so', async () => {
    const files = await writeTwins(place.folder, 'nanoseconds', columns);
    const ddl = '(id integer primary key, local timestamp, instant timestamptz, clock time)';
    for (const format of ['csv', 'parquet'] as const) {
      await place.db.query(`create table nanoseconds_${format} ${ddl}`);
      const { plan } = await loadTable(place, {
        table: `nanoseconds_${format}`,
        files: [files[format]],
      });
      const losses = ['local', 'instant', 'clock'].map((name) =>
        plan.notices.find((notice) => notice.includes(`column "${name}"`)),
      );
      expect(losses.every((notice) => /nanoseconds are rounded/.test(notice ?? ''))).toBe(
        format === 'parquet',
      );
    }
    expect(await rowsOf(place, 'nanoseconds_parquet')).toEqual(
      await rowsOf(place, 'nanoseconds_csv'),
    );
  });
});
