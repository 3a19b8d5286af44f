/** Parameter: oid. Unique indexes; `arbiter`: ON CONFLICT (columns) can name it. */
export const READ_UNIQUE_INDEXES = `
select i.relname as name, x.indisprimary as primary,
       x.indpred is null and x.indexprs is null and x.indimmediate
         and x.indisvalid and x.indisready and not x.indisexclusion as arbiter,
       array(select a.attname::text
               from unnest(x.indkey::int2[]) with ordinality as k (attnum, place)
               join pg_catalog.pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
              where k.place <= x.indnkeyatts
              order by k.place) as columns
  from pg_catalog.pg_index x
  join pg_catalog.pg_class i on i.oid = x.indexrelid
 where x.indrelid = $1::oid and x.indisunique and x.indislive and not x.indisexclusion
 order by not x.indisprimary, i.relname`;

/** Parameter: oid. Whatever else couples rows, by kind and name. */
export const READ_COUPLINGS = `
select 'exclusion' as kind, conname as name
  from pg_catalog.pg_constraint where conrelid = $1::oid and contype = 'x'
union all
select 'self', conname
  from pg_catalog.pg_constraint where conrelid = $1::oid and contype = 'f' and confrelid = conrelid
union all
select 'trigger', tgname
  from pg_catalog.pg_trigger
 where tgrelid = $1::oid and not tgisinternal and tgenabled <> 'D' and (tgtype & 1) = 1
union all
select 'rule', rulename
  from pg_catalog.pg_rewrite where ev_class = $1::oid and rulename <> '_RETURN'
order by 1, 2`;
