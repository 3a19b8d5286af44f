import { present } from '../assert.ts';
import type { Connection } from './connect.ts';
import { forgetRows, type Corrections, type PlacedRow } from './corrections.ts';
import {
  changedColumns,
  mergedColumns,
  ownRowsSql,
  stagedColumn,
  type MergeTarget,
} from './merge-sql.ts';
import { literal, quoted } from './names.ts';
import { stagedValue, type StagingTable } from './staging.ts';

/** What becomes of corrected rows whose keys were loaded before or behind them. */

/**
 * Deletes the corrected rows that lose to a row of the loaded file at `place`, and resolves to how
 * many. `update`: to a later one of the same key; `newest`: to a later one that is not older;
 * `ignore`: to an earlier one.
 */
export async function dropLosing(
  connection: Connection,
  { target, table }: Corrections,
  loaded: StagingTable,
  place: number,
): Promise<number> {
  const loses = target.onConflict === 'ignore' ? after('c', 'g', place) : before('c', 'g', place);
  const version =
    target.onConflict === 'newest' ? present(target.versionColumn, 'a version') : null;
  const older =
    version === null
      ? ''
      : ` and (${ofRow(table, version)} is null or g.version >= ${ofRow(table, version)})`;
  return connection.execute(
    `delete from ${table.sqlName} c
      using (${rowsSql(target, loaded, version, [])}) g
      where ${sameKey(target, table)} and ${loses}${older}`,
  );
}

/** How many corrected rows have a key that the loaded file has, too; with `place`: behind them. */
export async function countMeeting(
  connection: Connection,
  { target, table }: Corrections,
  loaded: StagingTable,
  place: number | null = null,
): Promise<number> {
  const behind = place === null ? '' : ` and ${before('c', 'g', place)}`;
  const [row] = await connection.query(
    `select count(*) as meeting from ${table.sqlName} c
      where exists (select from (${rowsSql(target, loaded, null, [])}) g
                     where ${sameKey(target, table)}${behind})`,
  );
  return Number(row?.['meeting']);
}

/**
 * `ignore`: the first loaded row behind each corrected one, which the table holds if it held none of
 * that key before. Files are to come in their order.
 */
export async function noteLater(
  connection: Connection,
  { target, table, later }: Corrections,
  loaded: StagingTable,
  place: number,
): Promise<void> {
  const names = mergedNames(target, table);
  await connection.query(
    `insert into ${later}
     select distinct on (c.etl_file, c.etl_row)
            c.etl_file, c.etl_row, row(${names.map((_, at) => `g.v${at}`).join(', ')})::text
       from ${table.sqlName} c
       join (${rowsSql(target, loaded, null, names)}) g on ${sameKey(target, table)}
      where ${before('c', 'g', place)}
      order by c.etl_file, c.etl_row, g.etl_row
     on conflict do nothing`,
  );
}

/**
 * `ignore`: puts a corrected row in the place of the later one that the table got instead, and
 * resolves to how many. A row that was there before the load (`began`, by place: see Quarantine), or
 * that somebody has changed since, stays: it is not the one that the later file brought.
 */
export async function replaceLater(
  connection: Connection,
  { target, table, later }: Corrections,
  began: ReadonlyMap<number, string>,
): Promise<number> {
  const source = { tables: [table], file: null, owner: null };
  const set = changedColumns(target, source);
  if (set.length === 0 || began.size === 0) return 0;
  const names = mergedNames(target, table);
  const assignments = set.map(({ name }) => `${quoted(name)} = ${ofRow(table, name, 'f')}`);
  const keys = target.key.map((name) => ofRow(table, name, 'c'));
  const onKey = target.key.map((name) => `t.${quoted(name)} = ${ofRow(table, name, 'f')}`);
  const horizons = [...began].map(
    ([place, id]) => `when ${place} then age(${literal(id)}::xid8::xid)`,
  );
  const replaced = await connection.query(
    `with first as (
       select distinct on (${keys.join(', ')}) c.* from ${table.sqlName} c
        order by ${keys.join(', ')}, c.etl_file, c.etl_row)
     update ${ownRowsSql(target)} t set ${assignments.join(', ')}
       from first f join ${later} l using (etl_file, etl_row)
      where ${onKey.join(' and ')}
        and age(t.xmin) <= case f.etl_file ${horizons.join(' ')} end
        and row(${names.map((name) => `t.${quoted(name)}`).join(', ')})::text = l.shown
     returning f.etl_file as file, f.etl_row::text as record`,
  );
  await forgetRows(connection, table.sqlName, replaced.map(placeOfRow));
  return replaced.length;
}

function placeOfRow(row: Readonly<Record<string, unknown>>): PlacedRow {
  return { file: Number(row['file']), record: Number(row['record']) };
}

/** Rows of a loaded file: etl_row, the key k0, k1 …, its version, and the values v0, v1 …. */
function rowsSql(
  target: MergeTarget,
  loaded: StagingTable,
  version: string | null,
  values: readonly string[],
): string {
  const value = (name: string): string => stagedValue(stagedColumn(loaded, name));
  const fields = [
    ...target.key.map((name, at) => `${value(name)} as k${at}`),
    ...(version === null ? [] : [`${value(version)} as version`]),
    ...values.map((name, at) => `${value(name)} as v${at}`),
  ];
  const where = loaded.where === undefined ? '' : ` where ${loaded.where}`;
  return `select etl_row, ${fields.join(', ')} from ${loaded.sqlName}${where}`;
}

function sameKey({ key }: MergeTarget, table: StagingTable): string {
  return key.map((name, at) => `${ofRow(table, name)} = g.k${at}`).join(' and ');
}

/** What is corrected is text, so it is staged as the types of the table, where all tables agree on one. */
function ofRow(table: StagingTable, name: string, row = 'c'): string {
  const column = stagedColumn(table, name);
  return stagedValue({ ...column, name: `${row}.${column.name}` });
}

function before(row: string, other: string, place: number): string {
  return `(${row}.etl_file, ${row}.etl_row) < (${place}, ${other}.etl_row)`;
}

function after(row: string, other: string, place: number): string {
  return `(${row}.etl_file, ${row}.etl_row) > (${place}, ${other}.etl_row)`;
}

function mergedNames(target: MergeTarget, table: StagingTable): string[] {
  return mergedColumns(target, { tables: [table], file: null, owner: null }).map(
    ({ name }) => name,
  );
}
