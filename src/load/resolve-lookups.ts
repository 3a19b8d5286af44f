import { LIMITS } from '../limits.ts';
import type { Connection } from '../target/connect.ts';
import { stagedLookups, type StagedLookup } from '../target/lookup-sql.ts';
import {
  createSingly,
  createTogether,
  isAnyMissing,
  lookUp,
  unmatchedRows,
  withIds,
} from '../target/lookups.ts';
import { deleteStaged, type StagingTable } from '../target/staging.ts';
import { columnsOfTables } from './load-tables.ts';
import { numbered, takeOut } from './quarantine/reject-refused.ts';
import { tellApart } from './tell-apart.ts';
import { locatedUnmatched, unmatchedError } from './unmatched-row.ts';
import type { FileFailure } from './unit-session.ts';
import type { StagedFile, UnitHooks, UnitTask } from './unit-task.ts';

/** What a unit has staged. */
interface StagedFiles {
  readonly table: StagingTable;
  readonly staged: StagedFile[];
  readonly failure: FileFailure | null;
}

/**
 * Puts what the target wants (the id of a company) beside what the files bring (its symbol), for all
 * that a unit has staged: before admission, since what is found may be part of the key.
 *
 * Values that are not there are created first, where the job says so, each lookup in a transaction
 * of its own: no unit waits for another's merge because of them. So what was created stays when the
 * file is refused later, or the run is interrupted; the next one finds it. Where a created row gets
 * more columns of the files than its value, units create in the order of the files (`turn`), so that
 * the first row of the load makes it, whatever runs beside it.
 *
 * A row whose value has nothing beside it is a bad row: it ends its file, or goes to the reject file.
 * Lookups that create come last, so that nothing is created for rows that another lookup refuses.
 *
 * A million rows of 7 columns and 5,000 companies, CPU of the server, medians of three: 5.1 s with the
 * ids in the files, 7.6 s with symbols, whether the companies are there or are created.
 */
export async function resolveLookups(
  connection: Connection,
  task: UnitTask,
  unit: StagedFiles,
  hooks: UnitHooks,
): Promise<StagedFiles> {
  const tables = columnsOfTables(task.load);
  const found = stagedLookups(tables, unit.table);
  if (found.length === 0) return unit;
  const lookups = [
    ...found.filter(({ lookup }) => !lookup.insertMissing),
    ...found.filter(({ lookup }) => lookup.insertMissing),
  ];
  let good = unit;
  for (const lookup of lookups) {
    await lookUp(connection, unit.table, lookup);
    if (good.staged.length === 0 || lookup.lookup.required === false) continue;
    if (lookup.lookup.insertMissing) good = await create(connection, task, good, lookup, hooks);
    good = await withoutUnmatched(connection, task, good, lookup);
  }
  return { ...good, table: await withIds(connection, tables, unit.table, lookups) };
}

async function create(
  connection: Connection,
  { load }: UnitTask,
  unit: StagedFiles,
  lookup: StagedLookup,
  { turn, news }: UnitHooks,
): Promise<StagedFiles> {
  const { table } = unit;
  if (!(await isAnyMissing(connection, lookup))) return unit;
  const inOrder = load.createsInOrder === true && lookup.set !== null;
  if (inOrder) await turn?.();
  let rows = await createTogether(connection, table, lookup, inOrder);
  let { staged } = unit;
  if (rows === null) {
    // The map notes places of rows then: they must not change any more.
    if (lookup.set !== null) staged = await numbered(connection, [table], staged);
    rows = await createSingly(connection, table, lookup);
  }
  const file = staged[0]?.file.ordinal;
  if (rows > 0 && file !== undefined) {
    news({ kind: 'rows-created', file, table: lookup.lookup.sqlName, rows });
  }
  return { ...unit, staged };
}

function withoutUnmatched(
  connection: Connection,
  task: UnitTask,
  unit: StagedFiles,
  lookup: StagedLookup,
): Promise<StagedFiles> {
  const { quarantine } = task.load;
  if (quarantine === null) return refuseFirst(connection, task, unit, lookup);
  const spoolPath = `${quarantine.spoolPrefix}u${task.unit}-${lookup.staged.name}`;
  return rejectAll(connection, unit, lookup, spoolPath);
}

/** The first file with such a row ends the unit: the files before it stay staged. */
async function refuseFirst(
  connection: Connection,
  task: UnitTask,
  unit: StagedFiles,
  lookup: StagedLookup,
): Promise<StagedFiles> {
  const { table } = unit;
  if ((await unmatchedRows(connection, table, lookup, 1)).length === 0) return unit;
  // Small files that one COPY brought are staged as one.
  await tellApart(connection, table, unit.staged);
  const staged = unit.staged.map((file) => ({ ...file, stagedAs: file.file.ordinal }));
  const [row] = await unmatchedRows(connection, table, lookup, 1);
  const at = staged.findIndex(({ file }) => row?.file == null || file.ordinal === row.file);
  const refused = staged[at];
  if (row === undefined || refused === undefined) return { ...unit, staged };
  const { file } = refused;
  const error = await locatedUnmatched(connection, table, lookup, { row, file, task });
  for (const later of table.fileColumn ? staged.slice(at) : []) {
    await deleteStaged(connection, table, later.file.ordinal);
  }
  return {
    table,
    staged: staged.slice(0, at),
    failure: { file: file.ordinal, error: error.record },
  };
}

/** As many rounds as it takes: no more rows are held at once than limits allow. */
async function rejectAll(
  connection: Connection,
  unit: StagedFiles,
  lookup: StagedLookup,
  spoolPath: string,
): Promise<StagedFiles> {
  const { table } = unit;
  let files: readonly StagedFile[] = unit.staged;
  for (let round = 1; ; round++) {
    if ((await unmatchedRows(connection, table, lookup, 1)).length === 0) break;
    files = await numbered(connection, [table], files);
    const rows = await unmatchedRows(connection, table, lookup, LIMITS.refusedRowsHeldMax);
    const plans = new Map(files.map(({ file }) => [file.ordinal, file]));
    const refused = rows.map((row) => {
      const ordinal = row.file ?? files[0]?.file.ordinal ?? 0;
      const { record } = unmatchedError(lookup, row, plans.get(ordinal));
      // The reject file names the columns of the file by those of the target that they go to.
      const error = { ...record, facts: { ...record.facts, column: lookup.into.name } };
      return { table, file: ordinal, row: row.row, error };
    });
    files = await takeOut(connection, [table], files, refused, `${spoolPath}-${round}`);
  }
  return { ...unit, staged: [...files] };
}
