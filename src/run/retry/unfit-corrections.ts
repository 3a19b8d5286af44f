import type { Quarantine } from '../../load/quarantine/quarantine.ts';
import { spooledRows } from '../../load/quarantine/reject-spool.ts';
import { rejectUnfit } from '../../load/quarantine/reject-unfit.ts';
import {
  noteBad,
  type CorrectedFile,
  type StagedCorrections,
  type StillBad,
} from '../../load/quarantine/stage-corrected.ts';
import type { LoadTask, StagedFile } from '../../load/unit-task.ts';
import type { Connection } from '../../target/connect.ts';

/**
 * Takes out the corrected rows that any of several tables would refuse, before it is told which of them
 * lose in the first: a row is loaded into all of its tables, or stays in the reject file.
 */
export async function withoutUnfit(
  connection: Connection,
  { load, quarantine }: { readonly load: LoadTask; readonly quarantine: Quarantine },
  retried: readonly CorrectedFile[],
  staged: StagedCorrections,
  bad: StillBad,
): Promise<void> {
  if (load.further === undefined) return;
  const spool = `${quarantine.spoolPrefix}retry-unfit`;
  const files = filesOf(retried, staged);
  await noteRejected(await rejectUnfit(connection, load, staged.table, files, spool), bad);
}

/** Corrected rows as staged files, by the places of their inputs. */
export function filesOf(
  retried: readonly CorrectedFile[],
  { files }: Pick<StagedCorrections, 'files'>,
): StagedFile[] {
  return files.map((file, index) => {
    const rows = retried[index]?.rows.length ?? 0;
    const own = { rows, staged: rows, contentHash: null, stagedAs: file.ordinal, spools: [] };
    return { file, ...own, numbered: true, sifted: true, rejected: 0 };
  });
}

export async function noteRejected(staged: readonly StagedFile[], bad: StillBad): Promise<void> {
  for (const { file, spools } of staged) {
    for await (const row of spooledRows(spools, file.ordinal)) noteBad(bad, file.ordinal, row);
  }
}
