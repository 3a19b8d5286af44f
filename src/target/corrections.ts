import { present } from '../assert.ts';
import type { Connection } from './connect.ts';
import type { LedgerContext } from './ledger.ts';
import {
  changedColumns,
  mergedColumns,
  stagedColumn,
  ownRowsSql,
  type MergeTarget,
} from './merge-sql.ts';
import { literal, quoted } from './names.ts';
import { stagedValue, type StagingTable } from './staging.ts';

/**
 * Corrected rows, staged under the places of their files (`etl_file`) and their records (`etl_row`).
 * A row counts as if it had stood there when the files were loaded; so whether it is written depends
 * on the rows of the same key that were loaded, before and behind it.
 */
export interface Corrections {
  readonly target: MergeTarget;
  readonly table: StagingTable;
}

const LATER = 'pg_temp.etl_later';
const ALL = 'pg_temp.etl_corrections';

/** Keeps a copy of all, which becomes part of the ledger; the rows that lose are deleted meanwhile. */
export async function beginCorrections(
  connection: Connection,
  { table }: Corrections,
): Promise<void> {
  await connection.query(
    `drop table if exists ${ALL}, ${LATER};
     create temp table etl_corrections as select * from ${table.sqlName};
     create temp table etl_later
       (etl_file integer, etl_row bigint, shown text, primary key (etl_file, etl_row));
     analyze ${table.sqlName}`,
  );
}

/** The copy of all: every one, whether it loses to others in the load's own table or not. */
export function allCorrections({ table }: Corrections): StagingTable {
  const views = (table.views ?? []).map((view) => ({ ...view, sqlName: ALL }));
  return { ...table, sqlName: ALL, views };
}

export async function endCorrections(
  connection: Connection,
  { table }: Corrections,
): Promise<void> {
  await connection.query(`drop table if exists ${ALL}, ${LATER}, ${table.sqlName}`);
}

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
  { target, table }: Corrections,
  loaded: StagingTable,
  place: number,
): Promise<void> {
  const names = mergedNames(target, table);
  await connection.query(
    `insert into ${LATER}
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
  { target, table }: Corrections,
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
       from first f join ${LATER} l using (etl_file, etl_row)
      where ${onKey.join(' and ')}
        and age(t.xmin) <= case f.etl_file ${horizons.join(' ')} end
        and row(${names.map((name) => `t.${quoted(name)}`).join(', ')})::text = l.shown
     returning f.etl_file as file, f.etl_row::text as record`,
  );
  await forgetRows(connection, table.sqlName, replaced.map(placeOfRow));
  return replaced.length;
}

export interface PlacedRow {
  readonly file: number;
  readonly record: number;
}

function placeOfRow(row: Readonly<Record<string, unknown>>): PlacedRow {
  return { file: Number(row['file']), record: Number(row['record']) };
}

/** Rows that are still bad do not become part of the ledger. */
export function forgetCorrections(
  connection: Connection,
  rows: readonly PlacedRow[],
): Promise<void> {
  return forgetRows(connection, ALL, rows);
}

async function forgetRows(
  connection: Connection,
  sqlName: string,
  rows: readonly PlacedRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await connection.query(
    `delete from ${sqlName} c using json_to_recordset($1) as r (file integer, record bigint)
      where c.etl_file = r.file and c.etl_row = r.record`,
    [JSON.stringify(rows)],
  );
}

/**
 * Writes into the ledger which rows are corrected, and what they are: in the transaction that writes
 * them into the table, so that none is loaded twice. `files`: what the places are.
 */
export async function recordCorrections(
  connection: Connection,
  { schema, tableOid }: Pick<LedgerContext, 'schema' | 'tableOid'>,
  { table }: Corrections,
  files: readonly { readonly place: number; readonly runId: string; readonly path: string }[],
): Promise<void> {
  const columns = table.columns.filter((column) => column.target !== null);
  const names = columns.map((column) => literal(column.target ?? ''));
  const values = columns.map((column) => `k.${column.name}::text`);
  const places = `json_to_recordset($2) as p (place integer, "runId" text, path text)`;
  const params = [tableOid, JSON.stringify(files)];
  await connection.query(
    `insert into ${quoted(schema)}.corrected (run_id, table_oid, path, record, fields)
     select p."runId", $1::oid, p.path, k.etl_row,
            jsonb_object(array[${names.join(', ')}], array[${values.join(', ')}])
       from ${ALL} k join ${places} on p.place = k.etl_file`,
    params,
  );
  await connection.query(
    `update ${quoted(schema)}.reject r set corrected = r.corrected + c.records
       from (select etl_file, range_agg(int8range(etl_row, etl_row + 1)) as records
               from ${ALL} group by etl_file) c
       join ${places} on p.place = c.etl_file
      where r.run_id = p."runId" and r.table_oid = $1 and r.path = p.path`,
    params,
  );
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
  return `select etl_row, ${fields.join(', ')} from ${loaded.sqlName}`;
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
