import type { Scenario } from '../scenario.ts';
import { hex, writeInteger, writePair, writeText } from './bytes.ts';
import { mix, remix, remixSql } from './mix.ts';
import type { Shape } from './shape.ts';

/** What a row is made of. One object serves all rows of a file. */
export interface RowSeed {
  /** The spelled number of the key. */
  base: number;
  /** Mixed of the key alone, and of key and version. */
  keyMix: number;
  mixed: number;
  version: number;
}

export interface Column {
  readonly name: string;
  readonly sqlType: string;
  readonly key: boolean;
  readonly nullable: boolean;
  /** Of parquetjs-lite. */
  readonly parquetType: string;
  /** The value in SQL, of the columns base, key_mix, mixed and version. */
  readonly sql: string;
  /** Writes the value as CSV; returns where it ends. */
  write(buffer: Buffer, at: number, row: RowSeed): number;
  /** The value for Parquet; undefined is NULL. */
  value(row: RowSeed): unknown;
}

/** No CSV row is longer. */
export const ROW_BYTES_MAX = 2_048;

/** Columns of the table, the key's first. */
export function columnsOf(scenario: Scenario): readonly Column[] {
  const key = keyColumns(scenario.keyType);
  const others = valueColumns(scenario.formats.includes('parquet'));
  const wanted = Math.max(1, scenario.width - key.length);
  const extras = Array.from({ length: Math.max(0, wanted - others.length) }, (_, place) =>
    extraColumn(place + 1),
  );
  return [...key, ...others.slice(0, wanted), ...extras];
}

export function seedRow(row: RowSeed, shape: Shape, key: number, version: number): void {
  row.keyMix = mix(key, 0, shape.seed);
  row.mixed = mix(key, version, shape.seed);
  row.base = shape.scenario.scattered ? row.keyMix : key + 1;
  row.version = version;
}

function keyColumns(keyType: Scenario['keyType']): Column[] {
  switch (keyType) {
    case 'bigint':
      return [{ ...integerColumn('id', 'base', (row) => row.base), ...BIGINT, key: true }];
    case 'uuid':
      return [{ ...textColumn('id', UUID_SQL, uuidOf), sqlType: 'uuid', key: true }];
    case 'text':
      return [
        {
          ...textColumn('code', `'order-' || lpad(base::text, 10, '0')`, (row) => {
            return `order-${String(row.base).padStart(10, '0')}`;
          }),
          key: true,
        },
      ];
    case 'composite':
      return [
        {
          ...integerColumn('order_id', 'base / 8', (row) => Math.floor(row.base / 8)),
          ...BIGINT,
          key: true,
        },
        { ...integerColumn('line_no', 'base % 8', (row) => row.base % 8), key: true },
      ];
  }
}

const BIGINT = { sqlType: 'bigint', parquetType: 'INT64' } as const;

/** Parquet of parquetjs-lite knows no decimals, so there the amount is a double, in both formats. */
function valueColumns(forParquet: boolean): Column[] {
  return [
    integerColumn('batch', 'version', (row) => row.version),
    { ...amountColumn, ...(forParquet ? DOUBLE_AMOUNT : {}) },
    textColumn('name', `'customer ' || ${hexSql('mixed')}`, (row) => `customer ${hex(row.mixed)}`),
    integerColumn('quantity', '(mixed >> 8) & 1023', (row) => (row.mixed >>> 8) & 1023),
    changedAtColumn,
    textColumn(
      'status',
      `(array[${STATUSES.map((text) => `'${text}'`).join(', ')}])[mixed % ${STATUSES.length} + 1]`,
      (row) => STATUSES[row.mixed % STATUSES.length] ?? '',
    ),
    {
      ...textColumn('note', `case when mixed & 15 > 0 then 'note ' || (mixed & 4095) end`, (row) =>
        (row.mixed & 15) > 0 ? `note ${row.mixed & 4095}` : '',
      ),
      nullable: true,
      value: (row) => ((row.mixed & 15) > 0 ? `note ${row.mixed & 4095}` : undefined),
    },
  ];
}

function extraColumn(number: number): Column {
  const sql = `'extra ' || ${hexSql(`((mixed + ${number}) & 4294967295)`)}`;
  return textColumn(`extra_${number}`, sql, (row) => `extra ${hex(row.mixed + number)}`);
}

const amountColumn: Column = {
  name: 'amount',
  sqlType: 'numeric(12,2)',
  key: false,
  nullable: false,
  parquetType: 'DOUBLE',
  sql: '(mixed % 10000000) / 100.0',
  write: (buffer, at, { mixed }) => {
    const cents = mixed % 10_000_000;
    const end = writeInteger(buffer, at, Math.floor(cents / 100));
    buffer[end] = 0x2e;
    return writePair(buffer, end + 1, cents % 100);
  },
  value: ({ mixed }) => (mixed % 10_000_000) / 100,
};

const DOUBLE_AMOUNT = {
  sqlType: 'double precision',
  sql: '(mixed % 10000000)::float8 / 100',
} as const;

const STATUSES = ['new', 'paid', 'packed', 'shipped', 'returned'];

const SECONDS_OF_YEAR = 366 * 86_400;
const YEAR_START_MS = Date.UTC(2024, 0, 1);
/** `2024-01-01 ` and so on. */
const DAYS = Array.from({ length: 366 }, (_, day) =>
  new Date(YEAR_START_MS + day * 86_400_000).toISOString().slice(0, 10).concat(' '),
);

const changedAtColumn: Column = {
  name: 'changed_at',
  sqlType: 'timestamptz',
  key: false,
  nullable: false,
  parquetType: 'TIMESTAMP_MILLIS',
  sql: `timestamptz '2024-01-01 00:00:00+00' + (mixed % ${SECONDS_OF_YEAR}) * interval '1 second'`,
  write: (buffer, at, { mixed }) => {
    const second = mixed % SECONDS_OF_YEAR;
    const day = DAYS[Math.floor(second / 86_400)] ?? '';
    const hour = writePair(buffer, writeText(buffer, at, day), Math.floor(second / 3_600) % 24);
    buffer[hour] = 0x3a;
    const minute = writePair(buffer, hour + 1, Math.floor(second / 60) % 60);
    buffer[minute] = 0x3a;
    return writeText(buffer, writePair(buffer, minute + 1, second % 60), '+00');
  },
  value: ({ mixed }) => YEAR_START_MS + (mixed % SECONDS_OF_YEAR) * 1_000,
};

function integerColumn(name: string, sql: string, of: (row: RowSeed) => number): Column {
  return {
    name,
    sqlType: 'integer',
    key: false,
    nullable: false,
    parquetType: 'INT32',
    sql,
    write: (buffer, at, row) => writeInteger(buffer, at, of(row)),
    value: of,
  };
}

function textColumn(name: string, sql: string, of: (row: RowSeed) => string): Column {
  return {
    name,
    sqlType: 'text',
    key: false,
    nullable: false,
    parquetType: 'UTF8',
    sql,
    write: (buffer, at, row) => writeText(buffer, at, of(row)),
    value: of,
  };
}

function uuidOf({ keyMix }: RowSeed): string {
  const [b, c, d] = [hex(remix(keyMix, 1)), hex(remix(keyMix, 2)), hex(remix(keyMix, 3))];
  return `${hex(keyMix)}-${b.slice(0, 4)}-4${b.slice(5)}-9${c.slice(0, 3)}-${d}${c.slice(4)}`;
}

const [UUID_B, UUID_C, UUID_D] = ([1, 2, 3] as const).map((salt) =>
  hexSql(remixSql('key_mix', salt)),
);
const UUID_SQL = `(${hexSql('key_mix')} || '-' || left(${UUID_B}, 4) || '-4' || right(${UUID_B}, 3)
  || '-9' || left(${UUID_C}, 3) || '-' || ${UUID_D} || right(${UUID_C}, 4))`;

function hexSql(number: string): string {
  return `lpad(to_hex(${number}), 8, '0')`;
}
