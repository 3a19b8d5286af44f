import type { Connection } from '../target/connect.ts';
import { refuseEmptied } from '../target/emptied-staging.ts';
import { merge } from '../target/merge.ts';
import { writeLedger } from '../target/write-ledger.ts';
import { holdTransaction, type HeldTransaction } from './held-transaction.ts';
import { loadedMeanwhile } from './merge-unit.ts';
import type { OwnedCounts, OwnerTask } from './owner-task.ts';
import { tableChanged } from './table-changed.ts';
import type { UnitHooks } from './unit-task.ts';

/** merge leaves its transaction open, so that all owners commit together. */
export interface OwnerWork extends Pick<HeldTransaction, 'prepare' | 'commit' | 'close'> {
  merge(): Promise<OwnedCounts>;
}

export function createOwnerWork(
  acquire: () => Promise<Connection>,
  task: OwnerTask,
  hooks: UnitHooks,
): OwnerWork {
  const { load, tables, owner } = task;
  const held = holdTransaction(acquire, task.prepareAs);
  return {
    ...held,
    merge: async () => {
      const startedAt = hooks.now();
      const connection = await held.begin();
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
          throw tableChanged(loadedMeanwhile(error), load.sqlName);
        });
      }
      await held.checkNow();
      return { ...counts, mergeMs: hooks.now() - startedAt };
    },
  };
}
