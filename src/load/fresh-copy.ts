import type { Connection } from '../target/connect.ts';
import { copyDirectly } from './direct-copy.ts';
import type { FileFailure } from './unit-session.ts';
import type { StagedFile, UnitHooks, UnitTask } from './unit-task.ts';

/** Files of a unit that were copied into a table that nobody sees yet. */
export interface FreshUnit {
  readonly staged: readonly FreshFile[];
  readonly failure: FileFailure | null;
  readonly stageMs: number;
}

/** A file by its ordinal: the coordinator has it, and of thousands of documents it is most of the answer. */
export type FreshFile = Omit<StagedFile, 'file' | 'unchanged'> & { readonly ordinal: number };

export interface FreshCopyWork {
  copy(): Promise<FreshUnit>;
  close(): Promise<void>;
}

/** Copies the files of a unit into the twin of a table that is being made. */
export function createFreshCopy(
  acquire: () => Promise<Connection>,
  task: UnitTask,
  sqlName: string,
  hooks: UnitHooks,
): FreshCopyWork {
  let connection: Connection | null = null;
  const cut = (): void => connection?.destroy();
  hooks.signal.addEventListener('abort', cut);
  return {
    copy: async () => {
      const startedAt = hooks.now();
      connection = await acquire();
      const { staged, failure } = await copyDirectly(connection, task, sqlName, hooks);
      return { staged: staged.map(withoutPlan), failure, stageMs: hooks.now() - startedAt };
    },
    close: async () => {
      hooks.signal.removeEventListener('abort', cut);
    },
  };
}

/** Property by property, as in stagedDocument. */
function withoutPlan(staged: StagedFile): FreshFile {
  return {
    ordinal: staged.file.ordinal,
    rows: staged.rows,
    staged: staged.staged,
    contentHash: staged.contentHash,
    stagedAs: staged.stagedAs,
    numbered: staged.numbered,
    sifted: staged.sifted,
    rejected: staged.rejected,
    spools: staged.spools,
  };
}
