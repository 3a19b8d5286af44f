import { assert } from '../assert.ts';
import type { Connection } from '../target/connect.ts';
import { writeLedger } from '../target/ledger.ts';
import { refuseEmptied } from '../target/emptied-staging.ts';
import { merge } from '../target/merge.ts';
import { literal } from '../target/names.ts';
import { loadedMeanwhile } from './merge-unit.ts';
import type { OwnedCounts, OwnerTask } from './owner-task.ts';
import { tableChanged } from './table-changed.ts';
import type { UnitHooks } from './unit-task.ts';

/**
 * merge leaves its transaction open, so that all owners commit together: prepare, where the server
 * allows it, makes the commit certain before the first owner commits.
 */
export interface OwnerWork {
  merge(): Promise<OwnedCounts>;
  prepare(): Promise<void>;
  commit(): Promise<void>;
  close(): Promise<void>;
}

export function createOwnerWork(
  acquire: () => Promise<Connection>,
  task: OwnerTask,
  hooks: UnitHooks,
): OwnerWork {
  const { load, tables, owner, prepareAs } = task;
  let connection: Connection | null = null;
  let open = false;
  const cut = (): void => connection?.destroy();
  hooks.signal.addEventListener('abort', cut);
  return {
    merge: async () => {
      const startedAt = hooks.now();
      connection = await acquire();
      await connection.query('begin');
      open = true;
      await refuseEmptied(connection, task.filled, load.sqlName);
      const source = { tables, file: null, owner: owner.count === 1 ? null : owner };
      const counts = await merge(connection, load.target, source, {
        countRows: load.countRows,
        stagedRows: task.stagedRows,
      }).catch((error: unknown) => {
        throw tableChanged(error, load.sqlName);
      });
      if (task.entries.length > 0) {
        await writeLedger(connection, load.ledger, task.entries).catch((error: unknown) => {
          throw loadedMeanwhile(error);
        });
      }
      // One owner's COMMIT must not be refused when another's has gone through.
      await connection.query('set constraints all immediate');
      return { ...counts, mergeMs: hooks.now() - startedAt };
    },
    prepare: async () => {
      assert(connection !== null && prepareAs !== null, 'an owner that merged is prepared');
      await connection.query(`prepare transaction ${literal(prepareAs)}`);
      open = false;
    },
    commit: async () => {
      assert(connection !== null, 'an owner that merged is committed');
      await connection.query(
        prepareAs === null ? 'commit' : `commit prepared ${literal(prepareAs)}`,
      );
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
