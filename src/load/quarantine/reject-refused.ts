import type { ErrorRecord } from '../../errors.ts';
import type { Connection } from '../../target/connect.ts';
import { deleteRows, rowsRefusedBy } from '../../target/refused-rows.ts';
import type { StagingTable } from '../../target/staging.ts';
import { numberRows } from '../../target/tell-files-apart.ts';
import { plainSentence } from '../copy-error.ts';
import { createSpool } from './reject-spool.ts';
import { tellApart } from '../tell-apart.ts';
import { tryInOrder, type RefusedInTurn } from './try-in-order.ts';
import type { LoadTask, StagedFile } from '../unit-task.ts';

/**
 * After the table has refused a merge: takes the rows at fault out of staging, into a spool. Those
 * that a CHECK or a foreign key refuses are found by a query, others by trying. Null where no row is
 * found to be at fault by itself.
 *
 * A row is rejected where it would be written: one that loses to another row of the same merge is
 * superseded, and need not be tried. That is why the counts of strategies may differ where a bad row
 * is superseded, and the table never does.
 */
export async function rejectRefused(
  connection: Connection,
  load: LoadTask,
  tables: readonly StagingTable[],
  staged: readonly StagedFile[],
  refusal: ErrorRecord,
  spoolPath: string,
): Promise<StagedFile[] | null> {
  const files = await numbered(connection, tables, staged);
  const byQuery = await refusedByConstraint(connection, load, tables, files, refusal);
  const refused = byQuery.length > 0 ? byQuery : await tryInOrder(connection, load, tables, files);
  return refused.length === 0 ? null : takeOut(connection, tables, files, refused, spoolPath);
}

/** Takes rows out of staging, into a spool; the files are numbered. */
export async function takeOut(
  connection: Connection,
  tables: readonly StagingTable[],
  files: readonly StagedFile[],
  refused: readonly RefusedInTurn[],
  spoolPath: string,
): Promise<StagedFile[]> {
  for (const table of tables) {
    const rows = refused.filter((one) => one.table === table);
    await deleteRows(
      connection,
      table,
      rows.map(({ file, row }) => ({ file: table.fileColumn ? file : null, row })),
    );
  }
  const spools = await spoolRefused(refused, files, spoolPath);
  return files.map((file) => {
    const count = refused.filter((row) => row.file === file.file.ordinal).length;
    if (count === 0) return file;
    return {
      ...file,
      staged: file.staged - count,
      rejected: file.rejected + count,
      spools: [...file.spools, ...spools],
    };
  });
}

/** Small files of one COPY get ordinals of their own, and their rows numbers. */
export async function numbered(
  connection: Connection,
  tables: readonly StagingTable[],
  staged: readonly StagedFile[],
): Promise<StagedFile[]> {
  const unnumbered = staged.filter((file) => !file.numbered);
  if (unnumbered.length === 0) return [...staged];
  for (const table of tables) {
    await tellApart(connection, table, unnumbered);
    const ordinals = unnumbered.map((file) => file.file.ordinal);
    await numberRows(connection, table, ordinals);
  }
  return staged.map((file) => ({ ...file, numbered: true, stagedAs: file.file.ordinal }));
}

/** Row triggers may change what is checked, so with them rows are tried. */
async function refusedByConstraint(
  connection: Connection,
  load: LoadTask,
  tables: readonly StagingTable[],
  files: readonly StagedFile[],
  refusal: ErrorRecord,
): Promise<RefusedInTurn[]> {
  const { constraint, sqlState } = refusal.facts;
  const queried = sqlState === '23514' || sqlState === '23503';
  if (constraint === undefined || !queried || load.countRows) return [];
  const refused: RefusedInTurn[] = [];
  const sentence = withoutDetail(refusal.sentence);
  for (const table of tables) {
    const found = await rowsRefusedBy(connection, load.target, table, constraint);
    if (found === null) return [];
    const { column } = found;
    const facts = column === null ? refusal.facts : { ...refusal.facts, column };
    for (const { file, row } of found.rows) {
      const ordinal = file ?? files[0]?.file.ordinal ?? 0;
      refused.push({ table, file: ordinal, row, error: { ...refusal, sentence, facts } });
    }
  }
  return refused;
}

/** What a constraint says, without the one row that it says it of. */
export function withoutDetail(sentence: string): string {
  return sentence.replace(/ \((?:Key|Failing row) [\s\S]*\)(?=\.?$)/, '');
}

async function spoolRefused(
  refused: readonly RefusedInTurn[],
  files: readonly StagedFile[],
  path: string,
): Promise<readonly string[]> {
  const spool = createSpool(path);
  const columns = new Map(files.map(({ file }) => [file.ordinal, file]));
  const inOrder = refused.toSorted((a, b) => a.file - b.file || a.row - b.row);
  for (const { file, row, error } of inOrder) {
    const { facts, sentence } = error;
    const plan = columns.get(file);
    const mappings = plan === undefined ? [] : [plan.targets, ...(plan.further ?? [])];
    const places = mappings.map((targets) => targets.indexOf(facts.column ?? ''));
    const place = places.find((each) => each >= 0) ?? -1;
    const named = plan?.description.columns[place];
    await spool.add({
      file,
      record: row,
      column: typeof named === 'object' ? named.name : (named ?? null),
      sqlState: facts.sqlState ?? null,
      reason: plainSentence(sentence, null, null),
    });
  }
  return spool.close();
}
