import { once } from 'node:events';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeParquet } from '../../src/source/parquet/describe-parquet.ts';
import { readParquet } from '../../src/source/parquet/read-parquet.ts';
import { createBinaryCopyEncoder } from '../../src/target/binary/binary-copy-encoder.ts';
import { stageColumn } from '../../src/target/binary/stage-column.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { corpusFile, corpusNames, corpusTwin } from '../support/parquet-corpus.ts';

/** Whole files, page by page into binary COPY: the table holds what the file's twin says. */
let db: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  db = await createTestDatabase();
  client = await db.client();
  await client.query("set timezone to 'UTC'");
});

afterAll(() => db.drop());

it.each(corpusNames())('%s', async (name) => {
  const file = corpusFile(name);
  const description = await describeParquet(file);
  const columns = description.columns.map((column, index) => ({
    ...column,
    stage: stageColumn(column.type, null),
    sqlName: `c${index}`,
  }));
  const fields = columns.map(({ sqlName, stage }) => `${sqlName} ${stage.sqlType}`);
  await client.query('drop table if exists copied');
  await client.query(`create temp table copied (etl_row bigint, ${fields.join(', ')})`);

  const stream = client.query(copyFrom('copy copied from stdin (format binary)'));
  const finished = once(stream, 'finish');
  const encoder = createBinaryCopyEncoder(columns, { ordinal: true, file: file.name });
  stream.write(encoder.header());
  const names = columns.map((column) => column.name);
  for await (const batch of readParquet(file, description, { columns: names })) {
    stream.write(encoder.encode(batch, batch.firstRow));
  }
  stream.end(encoder.trailer());
  await finished;

  const twin = corpusTwin(name);
  expect(stream.rowCount).toBe(twin.rows.length);
  for (const [index, { name: column, stage, sqlName }] of columns.entries()) {
    const { rows } = await client.query<{ row: string; got: string; wanted: string }>(
      `select etl_row as row, ${sqlName}::text as got, t::${stage.sqlType}::text as wanted
       from copied full join unnest($1::text[]) with ordinality as twin (t, n) on n = etl_row
       where ${sqlName}::text is distinct from t::${stage.sqlType}::text`,
      [twin.rows.map((row) => row[index] ?? null)],
    );
    expect(rows, column).toEqual([]);
  }
});
