import type { Connection } from '../target/connect.ts';
import { copyDirectly } from './direct-copy.ts';
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
      const copied = await copyDirectly(connection, task, sqlName, hooks);
      return { ...copied, stageMs: hooks.now() - startedAt };
    },
    close: async () => {
      hooks.signal.removeEventListener('abort', cut);
    },
  };
}
