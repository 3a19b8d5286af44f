import { literal } from './names.ts';
import type { StagingColumn } from './staging.ts';

/**
 * What `corrected.fields` of the ledger holds of a row: its values as text, by column of the load's own
 * table. What further tables take of it stands under the empty name, which no column has, by their names:
 * they may take values that the own table does not, and under other names. (Not by their oids, which are
 * others once a dump is restored.)
 */

/** A further table, and the staged rows as it takes them. */
export interface FurtherColumns {
  readonly sqlName: string;
  readonly columns: readonly StagingColumn[];
}

/** The fields of a row `row`: an expression of type jsonb. */
export function fieldsSql(
  row: string,
  own: readonly StagingColumn[],
  further: readonly FurtherColumns[],
): string {
  const values = valuesSql(row, own);
  if (further.length === 0) return values;
  const tables = further.map(
    ({ sqlName, columns }) => `${literal(sqlName)}, ${valuesSql(row, columns)}`,
  );
  return `${values} || jsonb_build_object('', jsonb_build_object(${tables.join(', ')}))`;
}

function valuesSql(row: string, columns: readonly StagingColumn[]): string {
  const taken = columns.filter(({ target }) => target !== null);
  const names = taken.map(({ target }) => literal(target ?? ''));
  const values = taken.map(({ name }) => `${row}.${name}::text`);
  return `jsonb_object(array[${names.join(', ')}]::text[], array[${values.join(', ')}]::text[])`;
}

/** The text of one of them. `further`: name of the table; null: the load's own. */
export function fieldSql(column: string, further: string | null): string {
  const fields = further === null ? 'fields' : `fields -> '' -> ${literal(further)}`;
  return `(${fields} ->> ${literal(column)})`;
}
