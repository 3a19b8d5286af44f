/** Parameters: schema or null (then the search path decides), name. No row: no such relation. */
export const READ_RELATION = `
select c.oid::int8::text as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
       c.relkind = 'r' and not c.relrowsecurity
         and not exists (select from pg_catalog.pg_trigger g
                          where g.tgrelid = c.oid and not g.tgisinternal
                            and g.tgenabled <> 'D' and (g.tgtype & 1) = 0) as copies_like_insert,
       c.relkind = 'r' and exists (select from pg_catalog.pg_inherits h where h.inhparent = c.oid)
         as inherited,
       c.relpersistence = 'u' as unlogged,
       pg_catalog.row_security_active(c.oid) as row_security,
       greatest(c.reltuples, 0)::float8 as estimated_rows,
       pg_catalog.pg_total_relation_size(c.oid)::float8 as bytes
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relname = $2
   and case when $1::text is null
            then pg_catalog.pg_table_is_visible(c.oid)
            else n.nspname = $1 end
   and c.relkind in ('r', 'p', 'v', 'm', 'f')
 order by c.oid`;
