import {
  fileSql,
  REFUSAL,
  rowColumn,
  rowValueSql,
  tableOf,
  type StagedLookup,
  type StagedSetColumn,
} from './lookup-sql.ts';
import { literal, quoted } from './names.ts';
import { stagedValue, type StagingTable } from './staging.ts';

/**
 * The creation of looked-up rows that have more columns than the value that they are found by
 * (`lookups.set`): they are taken from the first row of the unit that brings the value. `inOrder`:
 * the unit has waited for all earlier ones (see run/creation-turns.ts), so that this row is the first
 * of the load; then rows are made in the order of the files, and ids follow it. Else they are made in
 * the order of the values, which all units share, so that no two wait for each other.
 */
export function createOfRowsSql(
  table: StagingTable,
  lookup: StagedLookup,
  inOrder: boolean,
): string {
  const taken = setOf(lookup).map((_, place) => `f.v${place}`);
  return `insert into ${tableOf(lookup.lookup)} (${columnsOf(lookup)})
select ${['f.value', ...taken].join(', ')}
  from (select distinct on (m.value) m.value, ${fileSql(table)} as file, s.etl_row as row${valuesOf(lookup)}
          from ${table.sqlName} s
          join ${lookup.map} m on m.value = ${rowValueSql(lookup)}
         where m.id is null
         order by m.value, 2, 3) f
 order by ${inOrder ? 'f.file, f.row' : 'f.value'}
on conflict (${quoted(lookup.lookup.match.name)}) do nothing`;
}

/**
 * The same row by row, for the case that one is refused: the next row of its value is tried then, as
 * if each had come alone. The map notes which row a value was created of, where it was not the first:
 * those before it are bad. A row whose columns are those that were just refused is not tried again.
 *
 * Rows of one value do not stand together, so what became of a value is looked up in the map.
 */
export function createRowByRowSql(table: StagingTable, lookup: StagedLookup): string {
  const { map } = lookup;
  const match = quoted(lookup.lookup.match.name);
  const taken = setOf(lookup).map((_, place) => `r.v${place}`);
  const texts = `array[${taken.map((value) => `${value}::text`).join(', ')}]::text[]`;
  return `create index on ${map} (value);
do ${literal(`declare
    r record;
    known record;
    made bigint;
  begin
    for r in select ${fileSql(table)} as file, s.etl_row as row, m.value${valuesOf(lookup)}
               from ${table.sqlName} s join ${map} m on m.value = ${rowValueSql(lookup)}
              where m.id is null order by 1, 2 loop
      select m.settled, m.tried, m.state into known from ${map} m where m.value = r.value;
      continue when known.settled or known.tried is not distinct from ${texts};
      begin
        insert into ${tableOf(lookup.lookup)} (${columnsOf(lookup)})
        values (${['r.value', ...taken].join(', ')}) on conflict (${match}) do nothing;
        get diagnostics made = row_count;
        update ${map} m set created = made > 0, settled = true,
               first_file = case when known.state is null then null else r.file end,
               first_row = case when known.state is null then null else r.row end
         where m.value = r.value;
      exception when others then
        if sqlstate !~ ${literal(REFUSAL)} then raise; end if;
        update ${map} m set state = coalesce(m.state, sqlstate),
               message = coalesce(m.message, sqlerrm), tried = ${texts}
         where m.value = r.value;
      end;
    end loop;
  end`)}`;
}

function setOf({ set }: StagedLookup): readonly StagedSetColumn[] {
  return set ?? [];
}

function columnsOf(lookup: StagedLookup): string {
  const set = setOf(lookup).map(({ column }) => column.name);
  return [lookup.lookup.match.name, ...set].map(quoted).join(', ');
}

/** Of the row `s`, behind other columns. */
function valuesOf(lookup: StagedLookup): string {
  return setOf(lookup)
    .map(({ staged }, place) => `, ${stagedValue(rowColumn(staged))} as v${place}`)
    .join('');
}
