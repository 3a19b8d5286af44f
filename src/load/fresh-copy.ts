import { EtlError } from '../errors.ts';
import { documentIn } from '../source/transform/input-of.ts';
import type { Connection } from '../target/connect.ts';
import { emptyFresh } from '../target/fresh-table.ts';
import { inTransaction } from '../target/transaction.ts';
import { copyDirectly, copyDocumentsDirectly } from './direct-copy.ts';
import type { FileFailure } from './unit-session.ts';
import type { StagedFile, UnitHooks, UnitTask } from './unit-task.ts';

/** What became of a unit's files. */
export interface FreshUnit {
  /** None where `hashes` tells all. */
  readonly staged: readonly FreshFile[];
  /** Of documents, as stagedDocuments takes them: those that were copied differ in nothing else. */
  readonly hashes: string | null;
  readonly failure: FileFailure | null;
  readonly stageMs: number;
}

/** A file by its ordinal: the coordinator has it. */
export type FreshFile = Omit<StagedFile, 'file' | 'unchanged'> & { readonly ordinal: number };

export interface FreshCopyWork {
  copy(): Promise<FreshUnit>;
}

export interface FreshCopyTask {
  readonly task: UnitTask;
  readonly sqlName: string;
  /** Nobody else fills the table: then one transaction empties and fills it, see run/fresh-units.ts. */
  readonly alone: boolean;
}

/** Copies the files of a unit into the twin of a table that is being made, which nobody sees yet. */
export function createFreshCopy(
  acquire: () => Promise<Connection>,
  { task, sqlName, alone }: FreshCopyTask,
  hooks: UnitHooks,
): FreshCopyWork {
  return {
    copy: async () => {
      const startedAt = hooks.now();
      const connection = await acquire();
      const copied = alone
        ? await copyAlone(connection, task, sqlName, hooks)
        : await copyUnit(connection, task, sqlName, hooks, false);
      return { ...copied, stageMs: hooks.now() - startedAt };
    },
  };
}

type CopiedUnit = Omit<FreshUnit, 'stageMs'>;

/** @throws EtlError what was refused: the transaction is over then, and the table as empty as before */
async function copyAlone(
  connection: Connection,
  task: UnitTask,
  sqlName: string,
  hooks: UnitHooks,
): Promise<CopiedUnit> {
  return inTransaction(connection, async () => {
    await emptyFresh(connection, sqlName);
    const copied = await copyUnit(connection, task, sqlName, hooks, true);
    if (copied.failure !== null) throw EtlError.fromRecord(copied.failure.error);
    return copied;
  });
}

async function copyUnit(
  connection: Connection,
  task: UnitTask,
  sqlName: string,
  hooks: UnitHooks,
  inOpenTransaction: boolean,
): Promise<CopiedUnit> {
  const [first] = task.files;
  if (first !== undefined && documentIn(first.description) !== null) {
    return { staged: [], ...(await copyDocumentsDirectly(connection, task, sqlName, hooks)) };
  }
  const copied = await copyDirectly(connection, task, sqlName, hooks, inOpenTransaction);
  return { staged: copied.staged.map(withoutPlan), hashes: null, failure: copied.failure };
}

/** Property by property, as in stagedDocument. */
function withoutPlan(staged: StagedFile): FreshFile {
  return {
    ordinal: staged.file.ordinal,
    rows: staged.rows,
    staged: staged.staged,
    contentHash: staged.contentHash,
    stagedAs: staged.stagedAs,
    numbered: staged.numbered,
    sifted: staged.sifted,
    rejected: staged.rejected,
    spools: staged.spools,
  };
}
