import type { ErrorRecord } from '../../errors.ts';
import type { Connection } from '../../target/connect.ts';
import { rowsRefusedBy } from '../../target/refused-rows.ts';
import { rowConstraints, type RowConstraint } from '../../target/row-constraints.ts';
import type { StagingTable } from '../../target/staging.ts';
import { tablesOf, type LoadTable } from '../load-tables.ts';
import type { LoadTask, StagedFile } from '../unit-task.ts';
import { numbered, takeOut } from './reject-refused.ts';
import type { RefusedInTurn } from './try-in-order.ts';

/**
 * Where rows go to several tables, or columns have policies: takes those that a CHECK or a foreign key of
 * any table refuses out of staging, into a spool, before anything is merged. All of them, those included
 * that another row supersedes in the one table: in the others that row may well be written, and whether it
 * is must not depend on which rows happen to be merged together. The same holds of column policies, with
 * which a row that another one supersedes has its part in what is written.
 *
 * What no query can tell beforehand (a key of another unique index, what a trigger raises) is found
 * by the merge, and fails the file.
 */
export async function rejectUnfit(
  connection: Connection,
  load: LoadTask,
  staging: StagingTable,
  staged: readonly StagedFile[],
  spoolPath: string,
): Promise<readonly StagedFile[]> {
  const checks = await checksOf(connection, load, staging);
  let files = staged;
  for (let round = 1; ; round++) {
    if ((await unfitRows(connection, checks, staging, files)).length === 0) return files;
    files = await numbered(connection, [staging], files);
    const refused = await unfitRows(connection, checks, staging, files);
    files = await takeOut(connection, [staging], files, refused, `${spoolPath}-${round}`);
  }
}

interface Check {
  readonly table: LoadTable;
  readonly constraint: RowConstraint;
}

/** A row trigger may change what is checked. */
async function checksOf(
  connection: Connection,
  load: LoadTask,
  staging: StagingTable,
): Promise<Check[]> {
  const tables = tablesOf(load, staging);
  const all = tables.map(({ target }) => target);
  const checks: Check[] = [];
  for (const table of tables) {
    if (table.countRows) continue;
    const constraints = await rowConstraints(connection, table.target, all);
    checks.push(...constraints.map((constraint) => ({ table, constraint })));
  }
  return checks;
}

/** Each row once, with the first constraint that refuses it; as many as can be held. */
async function unfitRows(
  connection: Connection,
  checks: readonly Check[],
  staging: StagingTable,
  files: readonly StagedFile[],
): Promise<RefusedInTurn[]> {
  const rows = new Map<string, RefusedInTurn>();
  for (const { table, constraint } of checks) {
    const { name } = constraint;
    const found = await rowsRefusedBy(connection, table.target, table.staging, name);
    for (const { file, row } of found?.rows ?? []) {
      const ordinal = file ?? files[0]?.file.ordinal ?? 0;
      const place = `${ordinal} ${row}`;
      if (rows.has(place)) continue;
      const error = refusalBy(table, constraint, found?.column ?? null);
      rows.set(place, { table: staging, file: ordinal, row, error });
    }
  }
  return [...rows.values()];
}

/** As the server words it. */
function refusalBy(
  { target, sqlName }: LoadTable,
  { name, sqlState }: RowConstraint,
  column: string | null,
): ErrorRecord {
  const sentence =
    sqlState === '23514'
      ? `new row for relation "${target.name}" violates check constraint "${name}".`
      : `insert or update on table "${target.name}" violates foreign key constraint "${name}".`;
  const facts = { sqlState, constraint: name, table: sqlName };
  return {
    code: 'ETL_ROW_INVALID',
    sentence,
    remedy: 'Correct the value, or change the table.',
    facts: column === null ? facts : { ...facts, column },
  };
}
