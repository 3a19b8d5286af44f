import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import { ledgerPath } from '../source/ledger-path.ts';
import type { Connection } from '../target/connect.ts';
import { entryOf, knownFiles } from '../plan/same-file.ts';
import { hasEntries, latestEntries, type LedgerContext } from '../target/ledger.ts';

/**
 * A run that held the table before this one, and after this one was planned, may have loaded the
 * same files: loaded once more they would double the rows of an `append`. Only who holds the table's
 * lock may call it, so that nobody loads between the question and the load.
 */
export async function refuseStale(
  coordinator: Connection,
  ledger: LedgerContext,
  load: LoadPlan,
): Promise<void> {
  const { schema, tableOid, runId } = ledger;
  const files = load.files.filter((file) => file.skip === null);
  // Of a table that was just made nobody has written an entry, as a rule; then very many need no question.
  const asksFirst = load.table.create !== null && files.length > LIMITS.recordedFilesPerStatement;
  if (asksFirst && !(await hasEntries(coordinator, schema, tableOid))) return;
  const appends = [load, ...(load.targets ?? [])].some(({ key }) => key.length === 0);
  const paths = files.map(ledgerPath);
  const realPaths = files.map((file) => file.realPath ?? ledgerPath(file));
  const asked = appends ? { paths: [...new Set([...paths, ...realPaths])], realPaths } : { paths };
  const known = knownFiles(await latestEntries(coordinator, ledger, asked), appends);
  for (const file of files) {
    const entry = entryOf(known, file, file.realPath);
    if (entry === undefined || entry.runId === runId || entry.runId === file.earlierRun) continue;
    throw new EtlError(
      'ETL_PLAN_STALE',
      `Run ${entry.runId} loaded the file into ${load.table.sqlName} after this load was planned.`,
      'Run again: what is loaded is skipped then.',
      { file: file.name, table: load.table.sqlName },
    );
  }
}
