import type { Connection } from '../target/connect.ts';
import { directTarget } from './direct-copy.ts';
import { fileFailure } from './file-failure.ts';
import { stageFile } from './stage-file.ts';
import type { FileFailure } from './unit-session.ts';
import type { StagedFile, UnitHooks, UnitTask } from './unit-task.ts';

/** Files of a unit that were copied into a table that nobody sees yet. */
export interface FreshUnit {
  readonly staged: readonly StagedFile[];
  readonly failure: FileFailure | null;
  readonly stageMs: number;
}

export interface FreshCopyWork {
  copy(): Promise<FreshUnit>;
  close(): Promise<void>;
}

/** Copies the files of a unit into the twin of a table that is being made, each by one COPY. */
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
      const staged: StagedFile[] = [];
      const options = { ...hooks, subBatchSize: task.load.subBatchSize, superseded: null };
      for (const file of task.files) {
        try {
          const target = directTarget(task.load.target.columns, file, sqlName);
          staged.push(await stageFile(connection, file, target, options));
        } catch (error) {
          const failure = fileFailure(file.ordinal, error, hooks.signal);
          return { staged, failure, stageMs: hooks.now() - startedAt };
        }
      }
      return { staged, failure: null, stageMs: hooks.now() - startedAt };
    },
    close: async () => {
      hooks.signal.removeEventListener('abort', cut);
    },
  };
}
