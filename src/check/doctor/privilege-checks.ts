import type { Row } from '../../target/connect.ts';
import { fail, pass, warn, type Check } from './doctor-types.ts';

/** `row`: of READ_DATABASE_PRIVILEGES. */
export function stagingPrivilegeCheck(row: Row): Check {
  const name = 'privilege to stage';
  return row['temporary'] === true
    ? pass(name, 'temporary tables may be created')
    : fail(
        name,
        `${String(row['role'])} may not create temporary tables in ${String(row['database'])}.`,
        `grant temporary on database ${String(row['database'])} to ${String(row['role'])};`,
      );
}

/** `row`: of READ_DATABASE_PRIVILEGES; `schema` as SQL spells it. */
export function ledgerPrivilegeCheck(row: Row, schema: string): Check {
  const name = 'privilege on the ledger';
  const role = String(row['role']);
  if (row['ledger_schema'] !== true) {
    if (row['create_schemas'] === true) return pass(name, `schema ${schema} can be created`);
    const remedy = `Let who owns the database run: create schema ${schema} authorization ${role};`;
    return fail(name, `There is no schema ${schema}, and ${role} may not create it.`, remedy);
  }
  if (row['ledger_usage'] !== true) {
    return fail(
      name,
      `${role} may not use the schema ${schema}.`,
      `grant usage, create on schema ${schema} to ${role};`,
    );
  }
  if (Number(row['ledger_tables']) === 2 && row['ledger_writable'] !== true) {
    return fail(
      name,
      `${role} may not read and write the ledger in ${schema}.`,
      `grant select, insert, update on all tables in schema ${schema} to ${role};`,
    );
  }
  if (row['ledger_create'] === true) return pass(name, `schema ${schema} can be written`);
  const remedy = `grant create on schema ${schema} to ${role};`;
  return Number(row['ledger_tables']) === 2
    ? warn(
        name,
        `${role} may not create tables in ${schema}, as partitioned loads have to.`,
        remedy,
      )
    : fail(name, `${role} may not create the ledger in the schema ${schema}.`, remedy);
}

/** `row`: of READ_TABLE_PRIVILEGES; `table` as SQL spells it. */
export function tablePrivilegeCheck(
  row: Row,
  table: string,
  load: {
    readonly createTable: boolean;
    readonly onConflict: string;
    /** Whether values are only looked up in it. */
    readonly readOnly?: boolean;
  },
): Check {
  const name = `privileges on ${table}`;
  const role = String(row['role']);
  const schema = String(row['schema']);
  if (row['exists'] !== true) {
    if (!load.createTable) {
      return fail(name, `There is no table ${table}.`, 'Create it, or drop --no-create-table.');
    }
    return row['creatable'] === true
      ? pass(name, `it is missing, and can be created`)
      : fail(
          name,
          `There is no table ${table}, and ${role} may not create it in ${schema}.`,
          `grant create on schema ${schema} to ${role};`,
        );
  }
  if (row['usage'] !== true) {
    const remedy = `grant usage on schema ${schema} to ${role};`;
    return fail(name, `${role} may not use the schema ${schema}.`, remedy);
  }
  const updates = load.onConflict === 'update' || load.onConflict === 'newest';
  const needed = (privilege: string): boolean =>
    privilege === 'SELECT' || (load.readOnly !== true && (updates || privilege !== 'UPDATE'));
  const lacking = (row['lacking'] as readonly string[]).filter(needed);
  if (lacking.length === 0) return pass(name, 'select, insert and update, as far as needed');
  const remedy = `grant ${lacking.join(', ').toLowerCase()} on ${table} to ${role};`;
  const partial = row['partial'] as readonly string[];
  return lacking.every((privilege) => partial.includes(privilege))
    ? warn(name, `${role} has ${lacking.join(', ')} on some columns only.`, remedy)
    : fail(name, `${role} lacks ${lacking.join(', ')} on ${table}.`, remedy);
}
