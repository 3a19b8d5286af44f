/**
 * Parameter: oid of the table. One row per column, in order; virtual columns exist since 18.
 * `distinct_default`: an identity, or a default that is a sequence's next number or a random UUID and
 * nothing else.
 */
export const READ_COLUMNS = `
select a.attname as name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) as declared,
       a.atttypid::int8::text as type_oid,
       a.attnotnull as not_null,
       a.atthasdef as has_default,
       a.attidentity::text as identity,
       a.attidentity <> '' or a.attgenerated = '' and exists (
         select from pg_catalog.pg_attrdef d
          where d.adrelid = a.attrelid and d.adnum = a.attnum
            and pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~
                '^(nextval\\(''[^'']*''::regclass\\)|([^()'' ]+\\.)?(gen_random_uuid|uuid_generate_v(1|1mc|4)|uuidv[47])\\(\\))$'
       ) as distinct_default,
       a.attgenerated::text as generated,
       case when a.attcollation <> 0 and a.attcollation <> t.typcollation
            then quote_ident(n.nspname) || '.' || quote_ident(c.collname) end as collation,
       coalesce(c.collisdeterministic, true) as deterministic
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_collation c on c.oid = a.attcollation
  left join pg_catalog.pg_namespace n on n.oid = c.collnamespace
 where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
 order by a.attnum`;
