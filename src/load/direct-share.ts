import { assert } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { Connection } from '../target/connect.ts';
import { literal, quoted } from '../target/names.ts';
import { copyDirectly } from './direct-copy.ts';
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

/** copy leaves its transaction open, so that all shares commit together; as the owners of keys do. */
export interface DirectShareWork {
  /** Rejects where any row is not what the plan takes it for: nothing of the share is there then. */
  copy(): Promise<CopiedPart[]>;
  prepare(): Promise<void>;
  commit(): Promise<void>;
  close(): Promise<void>;
}

export function createDirectShare(
  acquire: () => Promise<Connection>,
  { load, parts, prepareAs }: DirectShareTask,
  hooks: UnitHooks,
): DirectShareWork {
  const sqlName = `${quoted(load.target.schema)}.${quoted(load.target.name)}`;
  let connection: Connection | null = null;
  let open = false;
  const cut = (): void => connection?.destroy();
  hooks.signal.addEventListener('abort', cut);

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
    copy: async () => {
      connection = await acquire();
      await connection.query('begin');
      open = true;
      const copied: CopiedPart[] = [];
      for (const part of parts) copied.push(await copyPart(connection, part));
      // The COMMIT of one share must not be refused when that of another has gone through.
      await connection.query('set constraints all immediate');
      return copied;
    },
    prepare: async () => {
      assert(connection !== null && prepareAs !== null, 'a share that is copied is prepared');
      await connection.query(`prepare transaction ${literal(prepareAs)}`);
      open = false;
    },
    commit: async () => {
      assert(connection !== null, 'a share that is copied is committed');
      await connection.query('commit');
      open = false;
    },
    close: async () => {
      hooks.signal.removeEventListener('abort', cut);
      if (open && connection?.usable() === true) {
        await connection.query('rollback').catch(() => connection?.destroy());
      }
    },
  };
}
