import { EtlError } from '../errors.ts';
import type { WorkerSession } from '../pool/worker-pool.ts';

/**
 * The order in which units create the rows of other tables whose columns come from the files
 * (`lookups.set`): that of the load. A unit stages beside the others, and waits before it creates
 * anything until each earlier one has created what it brings; so a row is made of the first row of
 * the load that names it, at any concurrency, and where a load was interrupted what it has created is
 * what its first units bring, with which the next run goes on.
 *
 * Nothing waits for ever: units are begun in their order and the lowest that has not created waits
 * for none; one that fails lets those that wait for it fail.
 */
export interface CreationTurns {
  /** Calls `stage`, and `turn` once it is the unit's; rejects as `stage` does, or where it never will be. */
  stage<Staged extends MayFail>(unit: number, session: WorkerSession): Promise<Staged>;
  /** The unit will not be staged in this run. */
  fail(unit: number): void;
}

interface MayFail {
  readonly failure: unknown;
}

interface Waiting {
  readonly unit: number;
  readonly begin: () => void;
  readonly giveUp: (error: EtlError) => void;
}

export function createCreationTurns(): CreationTurns {
  const over = new Set<number>();
  const waiting = new Set<Waiting>();
  /** All units before this one have created what they bring. */
  let next = 0;
  /** The first unit that will not; those behind it have nothing to wait for, also such as come later. */
  let failed = Infinity;
  const end = (unit: number): void => {
    over.add(unit);
    while (over.delete(next)) next += 1;
    for (const each of waiting) if (each.unit <= next) each.begin();
  };
  return {
    stage: async <Staged extends MayFail>(unit: number, session: WorkerSession) => {
      const staging = session.call('stage') as Promise<Staged>;
      const barred = new Promise<never>((_, giveUp) => {
        const own: Waiting = {
          unit,
          begin: () => {
            waiting.delete(own);
            // Where it has no use for its turn it may be through by now.
            session.call('turn').catch(() => undefined);
          },
          giveUp,
        };
        waiting.add(own);
        const leave = (): boolean => waiting.delete(own);
        staging.then(leave, leave);
        if (unit > failed) giveUp(stoppedEarlier());
        else if (unit <= next) own.begin();
      });
      const staged = await Promise.race([staging, barred]);
      if (staged.failure === null && unit >= next) end(unit);
      return staged;
    },
    fail: (unit) => {
      failed = Math.min(failed, unit);
      for (const each of waiting) {
        if (each.unit > unit) each.giveUp(stoppedEarlier());
      }
    },
  };
}

function stoppedEarlier(): EtlError {
  return new EtlError(
    'ETL_ABORTED',
    'A file before it failed.',
    'Run again once that file is corrected.',
  );
}
