/**
 * Parameter: oids of types. One row per type: its own kind, what a domain is based on, what an
 * array holds, the modifier that a domain gives it, and whether PostgreSQL's record hash finds a hash
 * operator class for it: its own, or that of a type that has the same bytes (varchar of text, cidr of
 * inet, regclass of oid). Composites, and arrays of them or of ranges, are taken for unhashable: it costs
 * them time only.
 *
 * A type that is none of PostgreSQL's own and bears the name of one (an enum named interval) is named with
 * its schema, so that nobody takes it for that one.
 */
export const READ_TYPES = `
with recursive base as (
  select t.oid as asked, t.oid, t.typtype, t.typbasetype, t.typtypmod, t.typtype as own,
         null::int4 as modifier
    from pg_catalog.pg_type t where t.oid = any ($1::oid[])
  union all
  select b.asked, t.oid, t.typtype, t.typbasetype, t.typtypmod, b.own, b.typtypmod
    from base b join pg_catalog.pg_type t on t.oid = b.typbasetype
   where b.typtype = 'd'
), hashed as (
  select c.opcintype as oid
    from pg_catalog.pg_opclass c
    join pg_catalog.pg_am m on m.oid = c.opcmethod
    join pg_catalog.pg_amproc p on p.amprocfamily = c.opcfamily
         and p.amproclefttype = c.opcintype and p.amprocnum = 2
   where m.amname = 'hash' and c.opcdefault
), hashable as (
  select oid from hashed
  union
  select k.castsource
    from pg_catalog.pg_cast k join hashed h on h.oid = k.casttarget
   where k.castmethod = 'b' and k.castcontext = 'i'
)
select b.asked::int8::text as oid,
       quote_ident(an.nspname) || '.' || quote_ident(a.typname) as cast_name,
       ${nameOf('t')} as type_name,
       quote_ident(bn.nspname) as base_schema,
       nullif(b.modifier, -1) as base_modifier,
       b.own::text as own_kind,
       t.typtype::text as kind,
       t.typcategory::text as category,
       ${nameOf('e')} as element,
       coalesce(e.oid, t.oid) in (select oid from hashable)
         or t.typtype = 'e' or coalesce(e.typtype, '') = 'e'
         or (t.typtype in ('r', 'm') and exists (
               select from pg_catalog.pg_range r
                where t.oid in (r.rngtypid, r.rngmultitypid)
                  and r.rngsubtype in (select oid from hashable))) as hashable
  from base b
  join pg_catalog.pg_type t on t.oid = b.oid
  join pg_catalog.pg_namespace bn on bn.oid = t.typnamespace
  join pg_catalog.pg_type a on a.oid = b.asked
  join pg_catalog.pg_namespace an on an.oid = a.typnamespace
  left join pg_catalog.pg_type e on e.oid = t.typelem and t.typcategory = 'A'
 where t.typtype <> 'd'`;

function nameOf(type: string): string {
  return `case when ${type}.typnamespace <> 'pg_catalog'::regnamespace
                 and exists (select from pg_catalog.pg_type p
                              where p.typnamespace = 'pg_catalog'::regnamespace
                                and p.typname = ${type}.typname)
            then ${type}.typnamespace::regnamespace::text || '.' || ${type}.typname
            else ${type}.typname end`;
}
