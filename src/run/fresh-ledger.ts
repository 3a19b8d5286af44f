import { insertedOnly, ledgerEntry } from '../load/merge-unit.ts';
import type { StagedFiles } from '../load/staged-documents.ts';
import { LIMITS } from '../limits.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { Connection } from '../target/connect.ts';
import type { LedgerContext, LedgerEntry } from '../target/ledger.ts';
import { copyLedger, writeLedger } from '../target/write-ledger.ts';

/**
 * The ledger's rows of files whose rows are all new.
 *
 * Of very many files, each unit's are copied as soon as it is, while the next units are, by the coordinator,
 * which has nothing else to do then. Its transaction is the one that gives the table its name, so they are
 * there if the table is. Of few files they are one statement at the end: then no transaction is open, and
 * idle, while large files are copied.
 */
export interface FreshLedger {
  /** Whether the transaction is to begin before anything is copied. */
  readonly meanwhile: boolean;
  /** Files that were copied. */
  readonly add: (files: StagedFiles) => void;
  /** Resolves once nothing is being written; rejects with what went wrong. */
  settled(): Promise<void>;
  /** The same where the load goes wrong: no more is written, and it does not reject. */
  stop(): Promise<void>;
  /** Writes what is to be written at the end, when the table has its name. */
  end(all: StagedFiles): Promise<void>;
}

/** @param ledger with the oid that the table has at the end */
export function createFreshLedger(
  connection: Connection,
  { files, units }: Pick<LoadPlan, 'files' | 'units'>,
  ledger: LedgerContext,
): FreshLedger {
  // A file that is split is told of once all its parts are copied.
  const meanwhile =
    files.length > LIMITS.recordedFilesPerStatement && units.every(({ part }) => part === null);
  let stopped = false;
  let written = Promise.resolve();
  return {
    meanwhile,
    add: (copied) => {
      if (!meanwhile) return;
      written = written.then(async () => {
        if (!stopped) await copyLedger(connection, ledger, freshEntries(copied));
      });
      // It is heard by `settled`.
      written.catch(() => undefined);
    },
    settled: () => written,
    stop: async () => {
      stopped = true;
      await written.catch(() => undefined);
    },
    end: async (all) => {
      if (!meanwhile) await writeLedger(connection, ledger, [...freshEntries(all)]);
    },
  };
}

function* freshEntries(files: StagedFiles): Generator<LedgerEntry> {
  // Of documents all have the same.
  let counts = insertedOnly(0);
  for (const one of files) {
    if (counts.rowsRead !== one.rows || counts.rejected !== one.rejected) {
      counts = insertedOnly(one.rows, one.rejected);
    }
    yield ledgerEntry(one, counts);
  }
}
