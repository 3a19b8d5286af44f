import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LIMITS } from '../../limits.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { CorrectedRow } from './corrected-rows.ts';
import { csvField, rejectHeader } from './reject-file.ts';
import { refuseFolder } from './reject-folder.ts';
import type { RejectedRow } from './reject-spool.ts';

/** A row that is left in a reject file; `bad`: why it was refused again, null where it was not tried. */
export interface LeftRow {
  readonly row: CorrectedRow;
  readonly bad: RejectedRow | null;
}

/**
 * Puts a reject file of what is left in the place of the one that was corrected; where nothing is left
 * it goes. What was loaded is in the ledger before, so a crash in between loses nothing: its rows are
 * known then, and left out the next time.
 */
export async function rewriteRejects(
  path: string,
  spoolPrefix: string,
  file: FilePlan,
  left: readonly LeftRow[],
): Promise<void> {
  const aside = join(dirname(path), `${basename(spoolPrefix)}retry`);
  try {
    if (left.length === 0) {
      await rm(path, { force: true });
      return;
    }
    await rm(aside, { force: true });
    const out = await open(aside, 'wx', 0o600);
    try {
      await out.writeFile(rejectHeader(file));
      for (const row of left) await out.writeFile(lineOf(row));
      await out.sync();
    } finally {
      await out.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw refuseFolder(path, error);
  }
}

function lineOf({ row, bad }: LeftRow): string {
  const [record, line, offset, column, sqlState, reason, raw] = row.own;
  const why =
    bad === null
      ? [column, sqlState, reason]
      : [bad.column, bad.sqlState, bad.reason.slice(0, LIMITS.rejectReasonMax)];
  const cells = [record, line, offset, ...why, raw, ...row.fields];
  return `${cells.map((cell) => csvField(cell ?? null)).join(',')}\n`;
}
