import type { FilePlan } from '../plan/plan-types.ts';
import type { Connection } from '../target/connect.ts';
import { copyGroup, type GroupOptions } from './copy-group.ts';
import { fileFailure } from './file-failure.ts';
import type { FileFailure } from './unit-session.ts';
import type { StagedFile } from './unit-task.ts';

export interface CopyOptions extends Omit<GroupOptions, 'undo'> {
  /** Called before each COPY with the first of its files. */
  readonly before: (first: FilePlan) => Promise<void>;
  readonly copyOne: (file: FilePlan) => Promise<StagedFile>;
  /** See GroupOptions; `first` is the first file of the group. */
  readonly undo: (error: unknown, took: boolean, first: FilePlan) => Promise<void>;
}

/**
 * Copies the files of a unit in order, small ones together. A file that is bad ends it there: what
 * came before it stays.
 */
export async function copyFiles(
  connection: Connection,
  files: readonly FilePlan[],
  { before, copyOne, undo, ...group }: CopyOptions,
): Promise<{ readonly staged: StagedFile[]; readonly failure: FileFailure | null }> {
  const staged: StagedFile[] = [];
  let alone = files.length > 1 ? 0 : 1;
  for (let file = files[0]; file !== undefined; file = files[staged.length]) {
    const first = file;
    try {
      await before(first);
      if (alone > 0) {
        staged.push(await copyOne(first));
        alone -= 1;
        continue;
      }
      const copied = await copyGroup(connection, files.slice(staged.length), {
        ...group,
        undo: (error, took) => undo(error, took, first),
      });
      staged.push(...copied.staged);
      alone = copied.alone;
    } catch (error) {
      return { staged, failure: fileFailure(first.ordinal, error, group.hooks.signal) };
    }
  }
  return { staged, failure: null };
}
