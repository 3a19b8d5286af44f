import { quoted } from '../names.ts';

/** Versions of the ledger from which on it has the tables `load` and `file`. */
export const LOADS_SINCE = 2;

/**
 * Parameters: run id or null, schema and name of a table or null, and how many. The runs, newest
 * first. `alive`: a session of the run's name is there, which every role may see.
 *
 * What the ledger itself has is exact at any moment, since it is written by the merges, but part of it
 * may have been forgotten since (see prune-ledger.ts); what the loads have is there once they end.
 */
export function readRunsSql(schema: string, version: number): string {
  const s = quoted(schema);
  return `
with loads as (${version >= LOADS_SINCE ? `select * from ${s}.load` : NO_LOADS})
select r.run_id, r.plan_id, r.host, r.pid, r.status, r.error, r.started_at, r.finished_at,
       r.alive, names.tables, written.*, ended.*,
       round(extract(epoch from coalesce(r.finished_at, case when r.alive then clock_timestamp() end)
                                - r.started_at) * 1000) as duration_ms
  from (select r.*, exists (select from pg_catalog.pg_stat_activity a
                             where a.application_name = 'etl ' || r.run_id) as alive
          from ${s}.run r
         where ($1::text is null or r.run_id = $1)
           and ($3::text is null or ${ofTable(s)})
         order by r.started_at desc, r.run_id desc
         limit $4) r,
       lateral (select array(select d.table_name from loads d where d.run_id = r.run_id
                             union
                             select l.table_name from ${s}.ledger l where l.run_id = r.run_id
                             union
                             select quote_ident(n.nspname) || '.' || quote_ident(c.relname)
                               from pg_catalog.pg_class c
                               join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                              where c.oid = any (r.tables)
                              order by 1) as tables) names,
       lateral (select count(*) as ledger_files, coalesce(sum(l.rows_read), 0) as ledger_rows_read,
                       ${['inserted', 'updated', 'unchanged', 'superseded', 'rejected']
                         .map((name) => `${sumOrNull(`l.${name}`)} as ledger_${name}`)
                         .join(', ')}
                  from ${s}.ledger l where l.run_id = r.run_id) written,
       lateral (select count(*) as loads, sum(d.files_loaded) as files_loaded,
                       sum(d.files_skipped) as files_skipped,
                       sum(d.files_failed) as files_failed,
                       sum(d.files_not_loaded) as files_not_loaded,
                       sum(d.rows_read) as rows_read, sum(d.inserted) as inserted, sum(d.updated) as updated,
                       sum(d.unchanged) as unchanged, sum(d.superseded) as superseded,
                       sum(d.rejected) as rejected
                  from loads d where d.run_id = r.run_id) ended
 order by r.started_at desc, r.run_id desc`;
}

/** A sum is known only where each of its parts is; of no rows it is 0. */
function sumOrNull(column: string): string {
  return `case when count(*) = count(${column}) then coalesce(sum(${column}), 0) end`;
}

/** The table may be gone, or not have been loaded into: so it is looked for in all three places. */
function ofTable(s: string): string {
  const named = (name: string): string =>
    `(${name} = concat_ws('.', $2::text, $3::text) or
      $2::text is null and right(${name}, length($3::text) + 1) = '.' || $3::text)`;
  const unquoted = `concat_ws('.', case when $2::text is not null then quote_ident(n.nspname) end,
                              quote_ident(c.relname))`;
  return `(exists (select from loads d where d.run_id = r.run_id and ${named('d.table_name')})
    or exists (select from ${s}.ledger l where l.run_id = r.run_id and ${named('l.table_name')})
    or exists (select from pg_catalog.pg_class c
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where c.oid = any (r.tables)
                  and ${unquoted} = concat_ws('.', $2::text, $3::text)))`;
}

/**
 * Parameters: run id, and how many. The files that the run loaded or failed on, in the order of the
 * loads and of precedence; durations and errors where the load came to an end.
 */
export function readRunFilesSql(schema: string, version: number): string {
  const s = quoted(schema);
  const known = version >= LOADS_SINCE;
  return `
with loads as (${known ? `select * from ${s}.load where run_id = $1` : NO_LOADS}),
     files as (${known ? `select * from ${s}.file where run_id = $1` : NO_FILES}),
     tried as (select d.table_name, d.strategy, f.*
                 from files f join loads d on d.ordinal = f.load),
     written as (select * from ${s}.ledger where run_id = $1)
select coalesce(l.table_name, t.table_name) as table_name,
       coalesce(l.path, t.path) as path, coalesce(t.status, 'loaded') as status,
       coalesce(l.strategy, t.strategy) as strategy, l.bytes, l.loaded_at, l.rows_read, l.inserted,
       l.updated, l.unchanged, l.superseded, l.rejected, t.attempts, t.stage_ms, t.wait_ms,
       t.merge_ms, t.error_code, t.error
  from written l
  full join tried t on t.path = l.path and t.table_name = l.table_name
 order by coalesce(t.load, 2147483647), coalesce(l.table_name, t.table_name),
          coalesce(l.ordinal, t.ordinal), l.id
 limit $2`;
}

const NO_LOADS = `select null::text as run_id, null::int as ordinal, null::text as table_name,
  null::text as strategy, null::int as files_loaded, null::int as files_skipped,
  null::int as files_failed, null::int as files_not_loaded, null::int8 as rows_read,
  null::int8 as inserted, null::int8 as updated,
  null::int8 as unchanged, null::int8 as superseded, null::int8 as rejected where false`;

const NO_FILES = `select null::text as run_id, null::int as load, null::int as ordinal,
  null::text as path, null::text as status, null::int as attempts, null::int8 as stage_ms,
  null::int8 as wait_ms, null::int8 as merge_ms, null::text as error_code, null::text as error
  where false`;
