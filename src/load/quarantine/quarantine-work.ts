import { present } from '../../assert.ts';
import { errorRecordOf, type ErrorRecord } from '../../errors.ts';
import type { Connection } from '../../target/connect.ts';
import { refuseEmptied, stillFilled } from '../../target/emptied-staging.ts';
import type { StagingTable } from '../../target/staging.ts';
import { rejectRefused } from './reject-refused.ts';
import { writeRejects } from './write-rejects.ts';
import type { FileFailure } from '../unit-session.ts';
import type { LoadTask, StagedFile, UnitHooks } from '../unit-task.ts';

/** What the range pipeline has staged, and the bad rows of it. Plain JSON. */
export interface QuarantineTask {
  readonly load: LoadTask;
  readonly tables: readonly StagingTable[];
  readonly files: readonly StagedFile[];
  /** Names of the tables that hold rows. */
  readonly filled: readonly string[];
  /** Why the table refused the merge; null before the first. */
  readonly refusal: ErrorRecord | null;
  /** Merges that were refused. */
  readonly round: number;
  readonly rejectPaths: ReadonlyMap<number, string>;
}

/** What is left of it. */
export interface StagedGood {
  readonly files: readonly StagedFile[];
  readonly filled: readonly string[];
}

export interface QuarantineWork {
  /** Takes the rows at fault out of staging; null where none is found. */
  reject(): Promise<StagedGood | null>;
  /** Writes the reject files; resolves to the first file that has too many bad rows. */
  write(): Promise<FileFailure | null>;
}

export function createQuarantineWork(
  acquire: () => Promise<Connection>,
  task: QuarantineTask,
  hooks: UnitHooks,
): QuarantineWork {
  const { load, tables, files, filled, refusal, round, rejectPaths } = task;
  const quarantine = present(load.quarantine, 'a quarantine');
  return {
    reject: async () => {
      const connection = await acquire();
      const spool = `${quarantine.spoolPrefix}refused-${round}`;
      const why = present(refusal, 'a refusal');
      await refuseEmptied(connection, filled, load.sqlName);
      const rest = await rejectRefused(connection, load, tables, files, why, spool);
      // What a rejection has emptied must not look like the work of a crash.
      return rest && { files: rest, filled: await stillFilled(connection, filled) };
    },
    write: async () => {
      const order = { load, rejectPaths };
      const aside = `${quarantine.spoolPrefix}whole`;
      const tooMany = await writeRejects(await acquire(), order, aside, files, hooks.signal);
      if (tooMany === null) return null;
      return { file: tooMany.file.file.ordinal, error: errorRecordOf(tooMany.error) };
    },
  };
}
