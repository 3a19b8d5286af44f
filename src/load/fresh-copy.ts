import { present } from '../assert.ts';
import { documentIn } from '../source/transform/input-of.ts';
import type { Connection } from '../target/connect.ts';
import { emptyFresh } from '../target/fresh-table.ts';
import { copyDirectly, copyDocumentsDirectly } from './direct-copy.ts';
import { holdTransaction, type HeldTransaction } from './held-transaction.ts';
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

/** `commit` and `close`: of the one transaction of all units, where they have one. */
export interface FreshCopyWork extends Pick<HeldTransaction, 'commit' | 'close'> {
  /** Copies the next unit. */
  copy(): Promise<FreshUnit>;
}

export interface FreshCopyTask {
  readonly tasks: readonly UnitTask[];
  readonly sqlName: string;
  /** Nobody else fills the table: then one transaction empties and fills it, see run/fresh-units.ts. */
  readonly alone: boolean;
}

/** Copies the files of units into the twin of a table that is being made, which nobody sees yet. */
export function createFreshCopy(
  acquire: () => Promise<Connection>,
  { tasks, sqlName, alone }: FreshCopyTask,
  hooks: UnitHooks,
): FreshCopyWork {
  const transaction = holdTransaction(acquire, null);
  const remaining = tasks.values();
  let open: Connection | null = null;
  const emptied = async (): Promise<Connection> => {
    const connection = await transaction.begin();
    await emptyFresh(connection, sqlName);
    return connection;
  };
  return {
    commit: () => transaction.commit(),
    close: () => transaction.close(),
    copy: async () => {
      const startedAt = hooks.now();
      const task = present(remaining.next().value, 'a unit that is yet to be copied');
      const connection = alone ? (open ??= await emptied()) : await acquire();
      const copied = await copyUnit(connection, task, sqlName, hooks, alone);
      return { ...copied, stageMs: hooks.now() - startedAt };
    },
  };
}

type CopiedUnit = Omit<FreshUnit, 'stageMs'>;

async function copyUnit(
  connection: Connection,
  task: UnitTask,
  sqlName: string,
  hooks: UnitHooks,
  inTransaction: boolean,
): Promise<CopiedUnit> {
  const [first] = task.files;
  if (first !== undefined && documentIn(first.description) !== null) {
    return { staged: [], ...(await copyDocumentsDirectly(connection, task, sqlName, hooks)) };
  }
  const copied = await copyDirectly(connection, task, sqlName, hooks, inTransaction);
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
