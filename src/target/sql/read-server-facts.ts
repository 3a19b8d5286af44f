/** What `etl doctor` asks of the server; only of what every role may see, or what is null to others. */

/** One row: limits on connections that are this role's or this database's own, -1 for none. */
export const READ_CONNECTION_LIMITS = `
select current_setting('superuser_reserved_connections')::int as superuser_reserved,
       coalesce(current_setting('reserved_connections', true), '0')::int as reserved,
       r.rolsuper as superuser, r.rolconnlimit as role_limit, d.datconnlimit as database_limit,
       (select count(*) from pg_catalog.pg_stat_activity a where a.usesysid = r.oid)::int as role_used,
       (select numbackends from pg_catalog.pg_stat_database s where s.datid = d.oid)::int
         as database_used
  from pg_catalog.pg_roles r, pg_catalog.pg_database d
 where r.rolname = current_user and d.datname = current_database()`;

/** One row: how this session is encrypted. */
export const READ_TLS = `
select s.ssl, s.version, s.cipher,
       inet_server_addr() is null or inet_server_addr() = inet_client_addr() as same_machine
  from pg_catalog.pg_stat_ssl s where s.pid = pg_backend_pid()`;

/** A row for each standby and each slot; what the role may not see is null. */
export const READ_REPLICATION = `
select 'standby' as kind, coalesce(application_name, '') as name, true as active,
       extract(epoch from replay_lag)::float8 as lag_seconds,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 as behind_bytes
  from pg_catalog.pg_stat_replication
union all
select 'slot', slot_name, active, null,
       pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8
  from pg_catalog.pg_replication_slots
 where restart_lsn is not null
 order by 1, 2`;

/**
 * Parameter: schema of the ledger. What runs leave behind whose sessions are gone: staging tables,
 * twins of tables that were being made, and prepared transactions of this database.
 */
export const READ_LEFT_OVERS = `
select o.kind, o.name, o.bytes
  from (select 'table' as kind, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
               pg_catalog.pg_total_relation_size(c.oid)::float8 as bytes,
               substring(c.relname from '_([0-9]{14}-[0-9a-f]{6})(?:_|$)') as run_id
          from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'r'
           and (n.nspname = $1 and c.relname ~ '^staging_[0-9]+_'
                or c.relname ~ '^etl_fresh_[0-9]+_')
        union all
        select 'prepared', gid, null, split_part(gid, ':', 3)
          from pg_catalog.pg_prepared_xacts
         where database = current_database() and gid ~ '^etl:[0-9]+:') o
 where o.run_id is not null
   and not exists (select from pg_catalog.pg_stat_activity a
                    where a.application_name = 'etl ' || o.run_id)
 order by 1, 2`;

/** Parameter: schema of the ledger. One row: what the role may do in the database. */
export const READ_DATABASE_PRIVILEGES = `
select quote_ident(current_user) as role, quote_ident(current_database()) as database,
       has_database_privilege(current_database(), 'CREATE') as create_schemas,
       has_database_privilege(current_database(), 'TEMP') as temporary,
       n.oid is not null as ledger_schema,
       coalesce(has_schema_privilege(n.oid, 'USAGE'), false) as ledger_usage,
       coalesce(has_schema_privilege(n.oid, 'CREATE'), false) as ledger_create,
       (select count(*) from pg_catalog.pg_class c
         where c.relnamespace = n.oid and c.relname in ('run', 'ledger'))::int as ledger_tables,
       (select coalesce(bool_and(has_table_privilege(c.oid, 'SELECT')
                                 and has_table_privilege(c.oid, 'INSERT')
                                 and (c.relname = 'ledger' or has_table_privilege(c.oid, 'UPDATE'))),
                        true)
          from pg_catalog.pg_class c
         where c.relnamespace = n.oid and c.relname in ('run', 'ledger')) as ledger_writable
  from (select 1) one left join pg_catalog.pg_namespace n on n.nspname = $1`;

/**
 * Parameters: schema or null (then the search path decides), name. One row: what the role may do
 * with the table, or, where it is missing, whether it may be created.
 */
export const READ_TABLE_PRIVILEGES = `
select c.oid is not null as exists, quote_ident(current_user) as role,
       coalesce(quote_ident(cn.nspname), quote_ident(s.name)) as schema,
       coalesce(has_schema_privilege(cn.oid, 'USAGE'), false) as usage,
       coalesce((select has_schema_privilege(n.oid, 'CREATE')
                   from pg_catalog.pg_namespace n where n.nspname = s.name), false) as creatable,
       array(select p from unnest(array['SELECT', 'INSERT', 'UPDATE']) p
              where not has_table_privilege(c.oid, p)) as lacking,
       array(select p from unnest(array['SELECT', 'INSERT', 'UPDATE']) p
              where not has_table_privilege(c.oid, p)
                and has_any_column_privilege(c.oid, p)) as partial
  from (select coalesce($1::text, current_schema(), 'public') as name) s
  left join (pg_catalog.pg_class c join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace)
         on c.relname = $2 and c.relkind in ('r', 'p')
        and case when $1::text is null then pg_catalog.pg_table_is_visible(c.oid)
                 else cn.nspname = $1 end
 limit 1`;

/** One row, or none where the role may not see it. */
export const READ_DATA_DIRECTORY = `
select setting as folder from pg_catalog.pg_settings where name = 'data_directory'`;
