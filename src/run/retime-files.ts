import { errorRecordOf } from '../errors.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import { ORIGINS_VERSION } from '../target/ledger-schema.ts';
import { retimeEntries } from '../target/retime-entries.ts';
import type { RunContext } from './run-context.ts';

/**
 * Tells the ledger the times of files that the planner had to read to see that they are as they were loaded
 * (a change of rights, a copy, a backup that links them): else every run would read them again. It needs
 * no lock on the table: what is loaded stays the same. Where the ledger may not be written that is no
 * failure of the load.
 */
export async function retimeFiles(
  { coordinator, plan, ledgerVersion, onEvent }: RunContext,
  { table, files }: Pick<LoadPlan, 'table' | 'files'>,
  index: number,
): Promise<void> {
  const { oid } = table;
  const entries = files.flatMap(({ skip, mtimeMs, ctimeMs }) =>
    skip?.retimed === undefined
      ? []
      : [{ runId: skip.runId, path: skip.retimed, mtimeMs, ctimeMs }],
  );
  if (oid === null || entries.length === 0) return;
  const origins = ledgerVersion >= ORIGINS_VERSION;
  try {
    const ledger = { schema: plan.settings.ledgerSchema, tableOid: oid, origins };
    await retimeEntries(coordinator, ledger, entries);
  } catch (error) {
    const { sentence } = errorRecordOf(error);
    const notice = `That files have other times than when they were loaded could not be noted, so the next run reads them again: ${sentence}`;
    onEvent({ kind: 'notice', load: index, sentence: notice });
  }
}
