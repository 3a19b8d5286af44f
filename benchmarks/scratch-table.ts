import type { Connection } from '../src/target/connect.ts';
import { columnsOf } from './generate/columns.ts';
import { digestOf, rowsAfter, rowsBefore } from './generate/expected-rows.ts';
import type { Shape } from './generate/shape.ts';

/** The table that contenders load, in a schema that holds nothing else of value. */
export const SCRATCH_TABLE = 'target';

/** Makes the schema anew: whatever the last run left, its ledger included, is gone. */
export async function resetScratch(
  connection: Connection,
  schema: string,
  shape: Shape,
  withTable: boolean,
): Promise<void> {
  await dropScratch(connection, schema);
  await connection.query(`create schema ${schema}`);
  if (withTable) await createTable(connection, `${schema}.${SCRATCH_TABLE}`, shape);
  // Otherwise the pages that one run has dirtied are written during the next. A role that may not
  // ask for it measures with that noise.
  await connection.query('checkpoint').catch(() => undefined);
}

export async function dropScratch(connection: Connection, schema: string): Promise<void> {
  await connection.query(`set client_min_messages = warning`);
  await connection.query(`drop schema if exists ${schema} cascade`);
}

/** What the loaded table must be, computed without loading. */
export async function expectedDigest(connection: Connection, shape: Shape): Promise<string> {
  const names = columnsOf(shape.scenario).map(({ name }) => name);
  return digest(connection, digestOf(rowsAfter(shape), names));
}

export async function tableDigest(
  connection: Connection,
  schema: string,
  shape: Shape,
): Promise<string> {
  const names = columnsOf(shape.scenario).map(({ name }) => name);
  const rows = `select ${names.join(', ')} from ${schema}.${SCRATCH_TABLE}`;
  return digest(connection, digestOf(rows, names));
}

async function createTable(connection: Connection, table: string, shape: Shape): Promise<void> {
  const columns = columnsOf(shape.scenario);
  const lines = columns.map(
    ({ name, sqlType, nullable }) => `${name} ${sqlType}${nullable ? '' : ' not null'}`,
  );
  await connection.query(`create table ${table} (${lines.join(', ')})`);
  if (shape.tableRows > 0) await connection.query(`insert into ${table} ${rowsBefore(shape)}`);
  if (shape.scenario.onConflict !== 'append') {
    const key = columns.filter((column) => column.key).map(({ name }) => name);
    await connection.query(`alter table ${table} add primary key (${key.join(', ')})`);
  }
  // Hint bits, visibility and statistics are as in a table that has been there for a while.
  if (shape.tableRows > 0) await connection.query(`vacuum (analyze) ${table}`);
}

async function digest(connection: Connection, sql: string): Promise<string> {
  const [row] = await connection.query(sql);
  return String(row?.['digest']);
}
