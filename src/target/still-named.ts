import { literal } from './names.ts';

/** A table of a load as it was when the load began: its name as SQL spells it. */
export interface NamedTable {
  readonly oid: number;
  readonly name: string;
}

/** Named by the error that the server gives where a table is not the one of its name any more. */
export const OTHER_TABLE = 'etl_another_table_bears_the_name';

/**
 * The value, as SQL; but an error (undefined_table) where one of these names is another table's by then.
 *
 * Rows are written by the table's name, and the ledger knows the table by its oid. Where somebody puts
 * another table in its place meanwhile (`alter table … rename`, as a nightly rebuild ends), rows would come
 * into one of which the ledger says nothing, and an `append` would bring them once more. So it is asked
 * for by the statement that writes the ledger, behind those that wrote the rows: these hold a lock on what
 * they wrote, and until it is given back no name can change. It costs no statement.
 */
export function whileNamed(value: string, tables: readonly NamedTable[]): string {
  const named = tables.map(({ oid, name }) => `to_regclass(${literal(name)})::oid = ${oid}`);
  // The second branch is a name that no table has; the server looks for it only where it gets there.
  return `case when ${named.join(' and ')} then ${value} else format('%I', '${OTHER_TABLE}')::regclass::oid end`;
}
