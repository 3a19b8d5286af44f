import { once } from 'node:events';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NestedValue } from '../../src/source/parquet/column-batch.ts';
import { valueText } from '../../src/source/parquet/value-text.ts';
import type { ParquetType } from '../../src/source/source-file.ts';
import { createBinaryCopyEncoder } from '../../src/target/binary/binary-copy-encoder.ts';
import { stageColumn } from '../../src/target/binary/stage-column.ts';
import type { TargetType } from '../../src/target/table.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { vectorOf } from '../support/parquet-vectors.ts';
import { PARQUET_TYPE_CASES, utf8 } from '../support/parquet-type-cases.ts';

/**
 * Every type of Parquet into every type of table that it is written to in binary: PostgreSQL must
 * hold what its own input makes of the value's text. What is staged under another type must come
 * through the merge's cast.
 */
let db: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  db = await createTestDatabase();
  client = await db.client();
  await client.query(`
    create type mood as enum ('sad', 'happy');
    create domain positive as integer check (value > 0);
    set timezone to 'UTC'`);
});

afterAll(() => db.drop());

const TYPE_NAMES: Readonly<Record<string, string>> = {
  boolean: 'bool',
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  real: 'float4',
  'double precision': 'float8',
  'character varying': 'varchar',
  character: 'bpchar',
  citext: 'citext',
  'time without time zone': 'time',
  'time with time zone': 'timetz',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  positive: 'int4',
};

function targetOf(declared: string): TargetType {
  const plain = declared.replace(/\([\d,]+\)/, '');
  return {
    declared,
    cast: declared,
    typeName: TYPE_NAMES[plain] ?? plain,
    kind: declared === 'mood' ? 'enum' : declared === 'positive' ? 'domain' : 'base',
    element: null,
    hashable: true,
    bytewise: true,
  };
}

/** Copies the rows into a column of the staging type; returns it, cast to the target, as text. */
async function roundTrip(
  type: ParquetType,
  values: readonly NestedValue[],
  target: string,
): Promise<{ sqlType: string; texts: (string | null)[] }> {
  const stage = stageColumn(type, targetOf(target));
  const encoder = createBinaryCopyEncoder([{ name: 'c', type, stage }], { ordinal: true });
  const batch = { rows: values.length, firstRow: 1, columns: [vectorOf(type, values)] };
  await client.query(`create temp table copied (ordinal bigint, c ${stage.sqlType})`);
  try {
    const stream = client.query(copyFrom('copy copied from stdin (format binary)'));
    const finished = once(stream, 'finish');
    stream.end(Buffer.concat([encoder.header(), encoder.encode(batch, 1), encoder.trailer()]));
    await finished;
    const { rows } = await client.query<{ c: string | null }>(
      `select (c::${target})::text as c from copied order by ordinal`,
    );
    return { sqlType: stage.sqlType, texts: rows.map((row) => row.c) };
  } finally {
    await client.query('drop table copied');
  }
}

/** What PostgreSQL's own input makes of the texts. */
async function fromText(texts: readonly (string | null)[], target: string) {
  const { rows } = await client.query<{ c: string | null }>(
    `select (t::${target})::text as c from unnest($1::text[]) with ordinality u(t, n) order by n`,
    [texts],
  );
  return rows.map((row) => row.c);
}

describe.each(PARQUET_TYPE_CASES)('$type', ({ type, values, direct, cast, expected }) => {
  const textOf = expected ?? ((value: NestedValue) => valueText(type, value));

  it.each(direct)('is written as %s', async (target) => {
    if (target === 'citext') await client.query('create extension if not exists citext');
    const { sqlType, texts } = await roundTrip(type, values, target);
    expect(sqlType).toBe(target);
    expect(texts).toEqual(
      await fromText(
        values.map((value) => textOf(value, target)),
        target,
      ),
    );
  });

  it.each(cast ?? [])('is cast to %s', async (target) => {
    const { sqlType, texts } = await roundTrip(type, values, target);
    expect(sqlType).not.toBe(target);
    expect(texts).toEqual(
      await fromText(
        values.map((value) => textOf(value, target)),
        target,
      ),
    );
  });
});

describe('lists for a column that is an array', () => {
  it('are staged as the text of an array', async () => {
    const type: ParquetType = { kind: 'list', element: { kind: 'string' } };
    const values = [[utf8('a,b'), null, utf8('null'), utf8('q"\\ {}'), utf8('')], [], null];
    const { rows } = await client.query<{ a: string | null }>(
      `select x::text as a from (values (array['a,b', null, 'null', 'q"\\ {}', '']), ('{}'), (null)) v(x)`,
    );
    const stage = stageColumn(type, { ...targetOf('text[]'), kind: 'array', typeName: '_text' });
    expect(stage).toMatchObject({ sqlType: 'text', encoding: 'array' });
    const encoder = createBinaryCopyEncoder([{ name: 'c', type, stage }], { ordinal: false });
    await client.query('create temp table arrays (c text)');
    const stream = client.query(copyFrom('copy arrays from stdin (format binary)'));
    const finished = once(stream, 'finish');
    const batch = { rows: values.length, firstRow: 1, columns: [vectorOf(type, values)] };
    stream.end(Buffer.concat([encoder.header(), encoder.encode(batch, 1), encoder.trailer()]));
    await finished;
    const staged = await client.query<{ a: string | null }>(
      'select c::text[]::text as a from arrays',
    );
    expect(staged.rows).toEqual(rows);
  });
});

describe('the natural types of a table that is created', () => {
  it('hold what the files hold', async () => {
    for (const { type, values } of PARQUET_TYPE_CASES) {
      const stage = stageColumn(type, null);
      const { texts } = await roundTrip(type, values, stage.sqlType).catch((error: unknown) => {
        throw new Error(`${JSON.stringify(type)} as ${stage.sqlType}`, { cause: error });
      });
      const asText = values.map((value) => valueText(type, value));
      expect(texts, JSON.stringify(type)).toEqual(await fromText(asText, stage.sqlType));
    }
  });
});
