import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EtlError, type ErrorRecord } from '../../src/errors.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import {
  csvText,
  diceOf,
  HOSTILE_HEADER,
  hostileParquet,
  mutated,
} from '../support/hostile-bytes.ts';
import { load } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';

/** Broken files through the whole engine: an error with a code, or the rows that are right. */
const file = 'test/integration/security-hostile-bytes.test.ts';
let db: TestDatabase;
let folder: string;
beforeAll(async () => {
  db = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'etl-hostile-'));
});
afterEach(() => expectNoLeaks(db.url));
afterAll(async () => {
  await db.drop();
  await rm(folder, { recursive: true });
});

const columns = HOSTILE_HEADER.split(',');
const ddl = columns.map((column) => `${column} text`).join(', ');

/** Null where it was loaded, else why not. */
async function loaded(name: string, table: string, more: object): Promise<ErrorRecord | null> {
  const request = { files: [name], table, onConflict: 'append' as const, ...more };
  try {
    const { report } = await load(db.url, { loads: [request] }, { cwd: folder, force: true });
    return report.error;
  } catch (error) {
    if (error instanceof EtlError) return error.record;
    throw error;
  }
}

function expectCoded(error: ErrorRecord): void {
  expect(error.code).not.toBe('ETL_INTERNAL');
  expect(error.sentence).not.toBe('');
}

/** The rows in an order of their own, so that equal tables are equal texts. */
async function contentOf(table: string): Promise<unknown> {
  return db.query(
    `select to_jsonb(t)::text as row, count(*) from ${table} t group by 1 order by 1`,
  );
}

/** What PostgreSQL's own COPY makes of the bytes: null where it takes them. */
async function copied(bytes: Buffer, table: string): Promise<string | null> {
  const client = await db.client();
  const sql = `copy ${table} from stdin (format csv, header true)`;
  try {
    await pipeline(Readable.from([bytes]), client.query(copyFrom(sql)));
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end();
  }
}

test('CSV: the rows are those that COPY of the same bytes gives', async () => {
  const tally = { both: 0, etl: 0, copy: 0, none: 0 };
  await db.query(`create table ours (${ddl}); create table theirs (${ddl})`);
  await checkProperty(
    file,
    fc.asyncProperty(fc.noShrink(fc.noBias(fc.nat())), async (seed) => {
      const dice = diceOf(seed);
      // Half of the wounds leave the header alone, so that more files come to be loaded.
      const from = dice(2) === 0 ? 0 : HOSTILE_HEADER.length + 1;
      const bytes = mutated(dice, Buffer.from(csvText(dice)), from);
      const name = `${seed}.csv`;
      await writeFile(join(folder, name), bytes);
      await db.query('truncate ours, theirs');
      const error = await loaded(name, 'ours', { csv: { delimiter: ',' } });
      if (error !== null) expectCoded(error);
      const refused = await copied(bytes, 'theirs');
      // COPY passes over the header unread, and with it over names in another order.
      const sameHeader = /^id,name,note,amount[\r\n]/.test(bytes.toString('latin1'));
      if (error === null && refused === null && sameHeader) {
        expect(await contentOf('ours')).toEqual(await contentOf('theirs'));
      }
      tally[
        error === null ? (refused === null ? 'both' : 'etl') : refused === null ? 'copy' : 'none'
      ]++;
    }),
    60,
  );
  expect(tally.both).toBeGreaterThan(5);
});

test('Parquet: an error with a code, or a table of as many rows as the report says', async () => {
  await checkProperty(
    file,
    fc.asyncProperty(fc.noShrink(fc.noBias(fc.nat())), async (seed) => {
      const table = `p_${seed}_${randomBytes(3).toString('hex')}`;
      await writeFile(join(folder, `${seed}.parquet`), hostileParquet(seed).bytes);
      const error = await loaded(`${seed}.parquet`, table, {});
      if (error !== null) expectCoded(error);
      await db.query(`drop table if exists ${table}`);
    }),
    40,
  );
});
