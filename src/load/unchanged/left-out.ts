import type { FilePlan } from '../../plan/plan-types.ts';
import { fileFailure } from '../file-failure.ts';
import { refuseChanged } from '../../source/refuse-changed.ts';
import type { FileFailure } from '../unit-session.ts';
import type { StagedFile, SupersededRows, UnitHooks, UnitPart, UnitTask } from '../unit-task.ts';

/**
 * The files of a unit of which no row is sent, so that it needs no staging table, whose making and
 * dropping is written to the log of the server; null where there is something to send.
 */
export async function leaveOut(
  { files, superseded, part }: UnitTask,
  hooks: UnitHooks,
): Promise<{ readonly staged: StagedFile[]; readonly failure: FileFailure | null } | null> {
  if (!files.every(({ ordinal }) => superseded?.get(ordinal)?.kept === 0)) return null;
  const staged: StagedFile[] = [];
  for (const file of files) {
    const rows = superseded?.get(file.ordinal);
    if (rows === undefined) continue;
    try {
      hooks.news({ kind: 'file-started', file: file.ordinal });
      await refuseChanged(file);
      staged.push(leftOutFile(file, rows, part, hooks));
    } catch (error) {
      return { staged, failure: fileFailure(file.ordinal, error, hooks.signal) };
    }
  }
  return { staged, failure: null };
}

/** A file, or a part of one, of which no row is sent. */
export function leftOutFile(
  file: FilePlan,
  superseded: SupersededRows,
  part: UnitPart | undefined,
  { news }: Pick<UnitHooks, 'news'>,
): StagedFile {
  const { contentHash, keep } = superseded;
  news({ kind: 'file-staged', file: file.ordinal, rows: keep.length });
  return {
    file,
    rows: keep.length,
    staged: 0,
    ...unchangedOf(superseded),
    contentHash,
    stagedAs: file.ordinal,
    numbered: true,
    sifted: part !== undefined,
    rejected: 0,
    spools: [],
  };
}

export function unchangedOf(
  superseded: SupersededRows | null | undefined,
): Pick<StagedFile, 'unchanged'> {
  const unchanged = superseded?.unchanged;
  return unchanged === undefined ? {} : { unchanged };
}
