/** Parameter: oid of the table. Its indexes that may be used. */
export const READ_INDEXES = `
select i.relname as name, x.indisunique as unique, pg_catalog.pg_get_indexdef(i.oid) as definition
  from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid
 where x.indrelid = $1::oid and x.indisvalid and x.indisready and x.indislive
 order by i.relname`;

/**
 * Parameters: schema, name of the table, names. Which relations of the schema bear the names; of an
 * index of the table, what it is.
 */
export const READ_NAMED_INDEXES = `
select c.relname as name, x.indisunique as unique, x.indisvalid as valid,
       case when t.oid is not null then pg_catalog.pg_get_indexdef(c.oid) end as definition
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_index x on x.indexrelid = c.oid
  left join pg_catalog.pg_class t
    on t.oid = x.indrelid and t.relname = $2 and t.relnamespace = n.oid
 where n.nspname = $1 and c.relname = any ($3::text[])`;

/** Parameters: schema, name of a table. */
export const READ_INDEX_RIGHTS = `
select pg_catalog.pg_has_role(c.relowner, 'usage') as owned, c.relkind = 'p' as partitioned
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')`;
