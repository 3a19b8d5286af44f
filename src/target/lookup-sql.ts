import { castSql, lengthOf, type TypeLength } from './cast-sql.ts';
import { literal, quoted } from './names.ts';
import { stagedValue, type StagingColumn, type StagingTable } from './staging.ts';
import type { ColumnLookup, TargetColumn, TargetType } from './table.ts';

/**
 * A lookup of a staged column: rows bring a value (a symbol), the target wants what another table
 * has beside it (the id of the company). The distinct values of a unit and what was found for them
 * are kept in a temporary table, the map: so each value is looked up once, and has one answer
 * however often, and by whomever, the other table is written meanwhile.
 */
export interface StagedLookup {
  readonly lookup: ColumnLookup;
  /** Column of a table that gets what is found; the first, where several do. */
  readonly into: TargetColumn;
  /** The staged column that holds what the files bring. */
  readonly staged: StagingColumn;
  /** Qualified name of the map. */
  readonly map: string;
  /** What a created row gets beside the value, as far as the files bring it; null: the value alone. */
  readonly set: readonly StagedSetColumn[] | null;
}

export interface StagedSetColumn {
  readonly column: TargetColumn;
  readonly staged: StagingColumn;
}

/**
 * The lookups that the files of a staging table bring values for. `tables`: the columns of each table
 * that takes the rows, the load's own first; a staged column is looked up once for all of them.
 */
export function stagedLookups(
  tables: readonly (readonly TargetColumn[])[],
  table: StagingTable,
): StagedLookup[] {
  const views = [table, ...(table.views ?? [])];
  const found = new Map<string, StagedLookup>();
  tables.forEach((columns, place) => {
    for (const into of columns) {
      const { lookup } = into;
      const staged = views[place]?.columns.find((column) => column.looksUp === into.name);
      if (lookup === undefined || staged === undefined || found.has(staged.name)) continue;
      const map = `pg_temp.${quoted(`etl_map_${staged.name}`)}`;
      found.set(staged.name, { lookup, into, staged, map, set: stagedSet(lookup, table) });
    }
  });
  return [...found.values()];
}

function stagedSet({ set }: ColumnLookup, { views = [] }: StagingTable): StagedLookup['set'] {
  if (set === undefined) return null;
  const brought = views[set.view]?.columns ?? [];
  return set.columns.flatMap((column) => {
    const staged = brought.find(({ target }) => target === column.name);
    return staged === undefined ? [] : [{ column, staged }];
  });
}

/**
 * Makes the map: each value once, with what is found for it; `id` is null where nothing is. What
 * happens to a value that is to be created is noted in the other columns.
 */
export function mapSql(table: StagingTable, staging: StagedLookup): string {
  const { lookup, into, staged, map, set } = staging;
  const notes =
    set === null
      ? ''
      : `,
       null::integer as first_file, null::bigint as first_row, null::text[] as tried, false as settled`;
  return `create temp table ${map} as
select v.value, ${idSql(lookup, into)} as id,
       false as created, null::text as state, null::text as message${notes}
  from (select ${valueSql(lookup, staged)} as value from ${table.sqlName} group by 1) v
  left join ${tableOf(lookup)} l on l.${quoted(lookup.match.name)} = v.value
 where v.value is not null`;
}

/**
 * In the order of the values, which all units share: of two that create the same values at once, one
 * waits for the other, and never each for the other. Who waited goes without an error (`do nothing`),
 * and sees with its next statement what the other has committed.
 */
export function createSql({ lookup, map }: StagedLookup): string {
  return `insert into ${tableOf(lookup)} (${quoted(lookup.match.name)})
select m.value from ${map} m where m.id is null order by m.value
on conflict (${quoted(lookup.match.name)}) do nothing`;
}

/** SQLSTATEs of what is wrong with a value, as in the quarantine of rows. */
export const REFUSAL = '^(22|23|44|P0|54000)';

/**
 * The same value by value, for the case that one of them is refused: it is noted in the map, and the
 * others are created.
 */
export function createOneByOneSql({ lookup, map }: StagedLookup): string {
  const match = quoted(lookup.match.name);
  return `do ${literal(`declare
    r record;
    made bigint;
  begin
    for r in select m.ctid as place, m.value from ${map} m where m.id is null order by m.value loop
      begin
        insert into ${tableOf(lookup)} (${match}) values (r.value) on conflict (${match}) do nothing;
        get diagnostics made = row_count;
        update ${map} set created = made > 0 where ctid = r.place;
      exception when others then
        if sqlstate !~ ${literal(REFUSAL)} then raise; end if;
        update ${map} set state = sqlstate, message = sqlerrm where ctid = r.place;
      end;
    end loop;
  end`)}`;
}

/** After the creation: what of it is there, be it by others. */
export function findCreatedSql({ lookup, into, map }: StagedLookup): string {
  return `update ${map} m set id = ${idSql(lookup, into)}
  from ${tableOf(lookup)} l
 where m.id is null and l.${quoted(lookup.match.name)} = m.value`;
}

/** The first rows, in order of precedence, whose value has nothing beside it. */
export function unmatchedSql(table: StagingTable, lookup: StagedLookup, limit: number): string {
  const { staged, map } = lookup;
  const file = table.fileColumn ? 's.etl_file' : 'null::integer';
  return `select ${file} as file, s.etl_row as row, left(s.${staged.name}::text, 200) as value,
       m.state, m.message
  from ${table.sqlName} s
  join ${map} m on m.value = ${rowValueSql(lookup)}
 where ${withoutAnswer(table, lookup)}
 order by 1, 2 limit ${limit}`;
}

/** Whether there can be such rows: it reads the map alone. */
export function anyUnmatchedSql({ map, set }: StagedLookup): string {
  const late = set === null ? '' : ' or first_row is not null';
  return `select exists (select from ${map} where id is null${late}) as there`;
}

export function deleteUnmatchedSql(table: StagingTable, lookup: StagedLookup): string {
  return `delete from ${table.sqlName} s using ${lookup.map} m
 where ${withoutAnswer(table, lookup)} and m.value = ${rowValueSql(lookup)}`;
}

/** A row that could not be created of an earlier row's columns is not that row's. */
function withoutAnswer(table: StagingTable, { set }: StagedLookup): string {
  if (set === null) return 'm.id is null';
  return `(m.id is null or (${fileSql(table)}, s.etl_row) < (m.first_file, m.first_row))`;
}

/** The place of a row `s` among the files of its staging. */
export function fileSql({ fileColumn }: StagingTable): string {
  return fileColumn ? 's.etl_file' : '0';
}

/** What the row `s` is looked up by. */
export function rowValueSql({ lookup, staged }: StagedLookup): string {
  return valueSql(lookup, rowColumn(staged));
}

export function rowColumn(staged: StagingColumn): StagingColumn {
  return { ...staged, name: `s.${staged.name}` };
}

/**
 * The staged rows with what was found, as a table that takes the place of the first one: of a million
 * rows of 8 columns 1.9 s of CPU, where an UPDATE in place takes 8.9 s and leaves a dead row behind
 * each. The map costs 0.3 s. Cheaper still would be to join the map wherever staging is read; but its
 * rows are also deleted, numbered and sampled, which only an ordinary table allows.
 */
export function withIdsSql(
  table: StagingTable,
  lookups: readonly StagedLookup[],
  sqlName: string,
): string {
  const ids = lookups.map((_, place) => `m${place}.id as id${place}`).join(', ');
  const joins = lookups.map(
    (lookup, place) =>
      `left join ${lookup.map} m${place} on m${place}.value = ${rowValueSql(lookup)}`,
  );
  const kind = table.kind === 'temp' ? 'temp' : 'unlogged';
  return `create ${kind} table ${sqlName} as
select s.*, ${ids}
  from ${table.sqlName} s
  ${joins.join('\n  ')}`;
}

/**
 * What a staged row is looked up by. Only the case is folded, by the rules of the matched column's
 * collation; spaces count, since a value that differs by one is another value to the unique index.
 */
function valueSql({ match, fold }: ColumnLookup, staged: StagingColumn): string {
  const value = stagedValue(staged);
  if (fold === null) return value;
  // What is too long is refused by the table that it is to be created in, with the row that brings it.
  const length = lengthOfDomain(match.type);
  const cast = length === undefined ? match.type.cast : `pg_catalog."${length.of}"`;
  return `${fold}(${value})::${cast}`;
}

/** A cast to any other type has no length that it could cut the value to. */
function lengthOfDomain(type: TargetType): TypeLength | undefined {
  return type.kind === 'domain' ? lengthOf(type).length : undefined;
}

const COLLATED = new Set(['text', 'varchar', 'bpchar', 'citext']);

/** As the target's column has it: keys are compared by its collation, not by that of the other table. */
function idSql({ id }: ColumnLookup, { type, collation }: TargetColumn): string {
  const value = castSql(`l.${quoted(id)}`, type.cast, lengthOfDomain(type));
  if (!COLLATED.has(type.typeName)) return value;
  return `(${value}) collate ${collation ?? 'pg_catalog."default"'}`;
}

export function tableOf({ schema, table }: ColumnLookup): string {
  return `${quoted(schema)}.${quoted(table)}`;
}
