import type { CsvDescription } from '../source/source-file.ts';
import { assert, present } from '../assert.ts';
import { findParts, type CsvPart, type PartsFound } from '../source/csv/find-parts.ts';
import { inputOf } from '../source/transform/input-of.ts';
import { changedOr, refuseChanged } from '../source/refuse-changed.ts';
import type { UnitHooks, UnitTask } from './unit-task.ts';

export interface SplitScanWork {
  /** The next part of the file, as soon as it is known; in order, one call at a time. */
  next(): Promise<CsvPart>;
  /** After the last part. */
  end(): Promise<PartsFound>;
  close(): Promise<void>;
}

/** Reads the unit's only file, to find where near the cuts it can be split. Needs no connection. */
export function createSplitScan(
  task: UnitTask,
  cuts: readonly number[],
  hooks: UnitHooks,
): SplitScanWork {
  const file = present(task.files[0], 'the file to be split');
  const sifts = task.load.quarantine !== null;
  const description = inputOf(file.description) as CsvDescription;
  const found = findParts(file, description, cuts, hooks.signal, sifts);
  let begun = false;
  const step = (): ReturnType<typeof found.next> =>
    found.next().catch(async (error: unknown) => {
      throw await changedOr(error, file);
    });
  return {
    next: async () => {
      // Before it is read, so that one that is gone is told like any other change.
      if (!begun) await refuseChanged(file);
      begun = true;
      const { done, value } = await step();
      assert(done !== true, `${file.name} has a part for each cut, and one`);
      return value;
    },
    end: async () => {
      const { done, value } = await step();
      assert(done === true, `${file.name} has no more parts than cuts, and one`);
      await refuseChanged(file);
      return value;
    },
    close: async () => {
      await found.return({ records: 0, contentHash: '' });
    },
  };
}
