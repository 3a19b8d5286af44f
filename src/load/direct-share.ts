import { EtlError } from '../errors.ts';
import type { Connection } from '../target/connect.ts';
import { quoted } from '../target/names.ts';
import { copyDirectly } from './direct-copy.ts';
import { holdTransaction, type HeldTransaction } from './held-transaction.ts';
import type { LoadTask, StagedFile, UnitHooks, UnitTask } from './unit-task.ts';

/** A worker's share of files that are copied into the table itself. Plain JSON. */
export interface DirectShareTask {
  readonly load: LoadTask;
  /** Each with the window of its keys. */
  readonly parts: readonly Omit<UnitTask, 'load'>[];
  /** Name of the prepared transaction; null where the server allows none. */
  readonly prepareAs: string | null;
}

export interface CopiedPart {
  readonly unit: number;
  readonly rows: number;
  /** Null of a part of a file. */
  readonly contentHash: string | null;
  readonly copyMs: number;
}

/** copy leaves its transaction open, so that all shares commit together. */
export interface DirectShareWork extends Pick<HeldTransaction, 'prepare' | 'commit' | 'close'> {
  /** Rejects where any row is not what the plan takes it for: nothing of the share is there then. */
  copy(): Promise<CopiedPart[]>;
}

export function createDirectShare(
  acquire: () => Promise<Connection>,
  { load, parts, prepareAs }: DirectShareTask,
  hooks: UnitHooks,
): DirectShareWork {
  const sqlName = `${quoted(load.target.schema)}.${quoted(load.target.name)}`;
  const held = holdTransaction(acquire, prepareAs);

  const copyPart = async (own: Connection, part: Omit<UnitTask, 'load'>): Promise<CopiedPart> => {
    const startedAt = hooks.now();
    const task = { ...part, load };
    const { staged, failure } = await copyDirectly(own, task, sqlName, hooks, true);
    if (failure !== null) throw EtlError.fromRecord(failure.error);
    const [copied] = staged as [StagedFile];
    const { rows, contentHash } = copied;
    return { unit: part.unit, rows, contentHash, copyMs: hooks.now() - startedAt };
  };

  return {
    ...held,
    copy: async () => {
      const connection = await held.begin();
      const copied: CopiedPart[] = [];
      for (const part of parts) copied.push(await copyPart(connection, part));
      await held.checkNow();
      return copied;
    },
  };
}
