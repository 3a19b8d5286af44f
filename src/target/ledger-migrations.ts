import { quoted } from './names.ts';

/** Numbered migrations of the ledger's schema; each runs once, in its own transaction. */
export function migrations(schema: string): readonly string[] {
  const s = quoted(schema);
  return [runsAndFiles, durations, rejects, survivors, origins].map((migration) => migration(s));
}

/** Runs, and the files that they loaded: what loading itself needs. */
function runsAndFiles(s: string): string {
  return `create table ${s}.run (
     run_id text primary key,
     plan_id text not null,
     tables oid[] not null,
     host text not null,
     pid integer not null,
     started_at timestamptz not null default clock_timestamp(),
     finished_at timestamptz,
     status text not null default 'running',
     error text
   );
   comment on table ${s}.run is 'Runs of parallel-upsert, one row each.';
   create table ${s}.ledger (
     id bigint generated always as identity primary key,
     run_id text not null,
     plan_id text not null,
     table_oid oid not null,
     table_name text not null,
     path text not null,
     ordinal integer not null,
     bytes bigint not null,
     mtime_ms double precision not null,
     content_hash text not null,
     fingerprint text not null,
     strategy text not null,
     rows_read bigint not null,
     inserted bigint,
     updated bigint,
     unchanged bigint,
     superseded bigint,
     rejected bigint,
     loaded_at timestamptz not null default clock_timestamp()
   );
   comment on table ${s}.ledger is
     'Files loaded by parallel-upsert: each row was written in the transaction of its merge.';
   create index ledger_path on ${s}.ledger (table_oid, path, id desc);
   -- A commit believed lost may still land: then the retry must not load the file once more.
   create unique index ledger_once on ${s}.ledger (run_id, table_oid, path);`;
}

/** What `etl history` shows of loads and files. */
function durations(s: string): string {
  return `create table ${s}.load (
     run_id text not null,
     ordinal integer not null,
     table_name text not null,
     strategy text not null,
     concurrency integer not null,
     files_loaded integer not null,
     files_skipped integer not null,
     files_failed integer not null,
     files_not_loaded integer not null,
     rows_read bigint not null,
     inserted bigint not null,
     updated bigint not null,
     unchanged bigint not null,
     superseded bigint not null,
     rejected bigint not null,
     duration_ms bigint not null,
     primary key (run_id, ordinal)
   );
   comment on table ${s}.load is 'Loads of the runs, one row each, written when a load ends.';
   create table ${s}.file (
     run_id text not null,
     load integer not null,
     ordinal integer not null,
     path text not null,
     status text not null,
     attempts integer not null,
     stage_ms bigint,
     wait_ms bigint,
     merge_ms bigint,
     error_code text,
     error text,
     primary key (run_id, load, ordinal)
   );
   comment on table ${s}.file is 'Durations and errors of the files that the loads tried.';`;
}

/** Rejected rows, and those of them that were loaded once they were corrected. */
function rejects(s: string): string {
  return `create table ${s}.reject (
     run_id text not null,
     table_oid oid not null,
     path text not null,
     rejects_path text not null,
     began text not null,
     records int8multirange not null,
     corrected int8multirange not null default '{}',
     primary key (run_id, table_oid, path)
   );
   comment on table ${s}.reject is
     'Rows of a file that were rejected, by number; of files that the ledger has of the same run.';
   create table ${s}.corrected (
     run_id text not null,
     table_oid oid not null,
     path text not null,
     record bigint not null,
     fields jsonb not null,
     primary key (run_id, table_oid, path, record)
   );
   comment on table ${s}.corrected is
     'Rejected rows that were loaded once they were corrected, as they were loaded.';`;
}

/** See survivors.ts. */
function survivors(s: string): string {
  return `create unlogged table if not exists ${s}.survivor (ledger_id bigint primary key);
   comment on table ${s}.survivor is
     'Rows of the ledger about unlogged tables. A crash of the server empties it as it does them.';
   insert into ${s}.survivor
     select l.id from ${s}.ledger l
       join pg_catalog.pg_class c on c.oid = l.table_oid and c.relpersistence = 'u'
     on conflict do nothing;`;
}

/** What tells one file from another in its place; see ledger.ts. */
function origins(s: string): string {
  return `alter table ${s}.ledger add column if not exists ctime_ms double precision,
     add column if not exists real_path text;
   create index if not exists ledger_real_path on ${s}.ledger (table_oid, real_path, id desc)
     where real_path is not null;`;
}
