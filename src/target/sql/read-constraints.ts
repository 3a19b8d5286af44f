/**
 * The table and its partitions, of whatever level: a partition may have unique indexes, triggers and
 * constraints of its own. Tables that inherit from it hold none of its rows. Parameter: oid.
 */
const TREE = `
with recursive tree as (
  select $1::oid as oid
  union all
  select c.oid
    from tree t
    join pg_catalog.pg_inherits h on h.inhparent = t.oid
    join pg_catalog.pg_class c on c.oid = h.inhrelid and c.relispartition
)`;

/**
 * Parameter: oid. Unique indexes, those of partitions that no index of the table has made included;
 * `arbiter`: ON CONFLICT (columns) can name it. An index that compares by another collation takes other
 * keys for equal than the column does, unless both compare bytes; and so does one with an operator class
 * of another equality than its type's own, as record_image_ops.
 */
export const READ_UNIQUE_INDEXES = `${TREE}
select i.relname as name, x.indisprimary as primary,
       x.indrelid = $1::oid and x.indpred is null and x.indexprs is null and x.indimmediate
         and x.indisvalid and x.indisready and not x.indisexclusion
         and not exists (
           select from unnest(x.indkey::int2[], x.indcollation::oid[]) as k (attnum, compares)
             join pg_catalog.pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
             join pg_catalog.pg_collation o on o.oid in (a.attcollation, k.compares)
            where k.compares <> a.attcollation and not o.collisdeterministic)
         and not exists (
           select from unnest(x.indclass::oid[]) as k (opclass)
             join pg_catalog.pg_opclass c on c.oid = k.opclass
             join pg_catalog.pg_amop e on e.amopfamily = c.opcfamily and e.amopstrategy = 3
                  and e.amoplefttype = c.opcintype and e.amoprighttype = c.opcintype
            where not exists (
              select from pg_catalog.pg_opclass d
                join pg_catalog.pg_amop q on q.amopfamily = d.opcfamily and q.amopopr = e.amopopr
               where d.opcdefault and d.opcmethod = c.opcmethod)) as arbiter,
       array(select a.attname::text
               from unnest(x.indkey::int2[]) with ordinality as k (attnum, place)
               join pg_catalog.pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
              where k.place <= x.indnkeyatts
              order by k.place) as columns
  from tree t
  join pg_catalog.pg_index x on x.indrelid = t.oid
  join pg_catalog.pg_class i on i.oid = x.indexrelid
 where x.indisunique and x.indislive and not x.indisexclusion
   and (x.indrelid = $1::oid
        or not exists (select from pg_catalog.pg_inherits h where h.inhrelid = x.indexrelid))
 order by x.indrelid <> $1::oid, not x.indisprimary, i.relname`;

/**
 * Parameter: oid. Whatever else couples rows, by kind and name. A primary or unique key WITHOUT
 * OVERLAPS is an exclusion by its index. What is deferrable (`late`) is checked when a statement has ended.
 * Of triggers for each statement, those for INSERT (4) and UPDATE (16) count, and not those of partitions,
 * which only a statement on the partition itself sets off.
 */
export const READ_COUPLINGS = `${TREE}
select 'exclusion' as kind, c.conname as name
  from tree t
  join pg_catalog.pg_constraint c on c.conrelid = t.oid
  join pg_catalog.pg_index x on x.indexrelid = c.conindid and x.indisexclusion
 where c.contype in ('x', 'p', 'u')
union
select 'self', c.conname
  from tree t join pg_catalog.pg_constraint c on c.conrelid = t.oid and c.contype = 'f'
 where c.confrelid in (select oid from tree)
union
select 'trigger', g.tgname
  from tree t join pg_catalog.pg_trigger g on g.tgrelid = t.oid
 where not g.tgisinternal and g.tgenabled <> 'D' and (g.tgtype & 1) = 1
union
select 'statement trigger', tgname
  from pg_catalog.pg_trigger
 where tgrelid = $1::oid and not tgisinternal and tgenabled <> 'D'
   and (tgtype & 1) = 0 and (tgtype & 20) <> 0
union
select 'rule', rulename
  from pg_catalog.pg_rewrite where ev_class = $1::oid and rulename <> '_RETURN'
union
select 'late', i.relname
  from tree t
  join pg_catalog.pg_index x on x.indrelid = t.oid and not x.indimmediate
  join pg_catalog.pg_class i on i.oid = x.indexrelid
order by 1, 2`;
