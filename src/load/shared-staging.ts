import type { Connection } from '../target/connect.ts';
import { stageFiles, type StagedFiles } from './stage-files.ts';
import { leaveOut } from './unchanged/left-out.ts';
import type { UnitHooks, UnitTask } from './unit-task.ts';

/** What one unit of the range pipeline has staged, in a table that all workers can read. */
export interface SharedUnit extends Omit<StagedFiles, 'table'> {
  /** Null where none of its rows is sent. */
  readonly table: StagedFiles['table'] | null;
  readonly stageMs: number;
}

export interface SharedStaging {
  stage(): Promise<SharedUnit>;
}

/**
 * Unlogged, since a crash loses nothing that the files do not hold: the load starts again then.
 * The table outlives the session; the coordinator drops it at the end of the load.
 */
export function createSharedStaging(
  acquire: () => Promise<Connection>,
  task: UnitTask,
  sqlName: string,
  hooks: UnitHooks,
): SharedStaging {
  return {
    stage: async () => {
      const startedAt = hooks.now();
      const unsent = await leaveOut(task, hooks);
      if (unsent !== null) return { ...unsent, table: null, stageMs: hooks.now() - startedAt };
      const connection = await acquire();
      const table = { sqlName, kind: 'unlogged', fileColumn: true } as const;
      const unit = await stageFiles(connection, task, table, hooks);
      return { ...unit, stageMs: hooks.now() - startedAt };
    },
  };
}
