import { assert, present } from '../assert.ts';
import { ledgerPath } from '../source/ledger-path.ts';
import type { Connection } from '../target/connect.ts';
import {
  exportJointKeyHashes,
  exportKeyHashes,
  stagedKeyRange,
  type SaltedKeys,
} from '../target/keys.ts';
import { entriesOfRun } from '../target/ledger.ts';
import { dropStaging, temporaryName, type StagingTable } from '../target/staging.ts';
import { plainSentence } from './copy-error.ts';
import { canCopyDirectly, openDirectCopy, type DirectCopy } from './direct-copy.ts';
import { tablesOf } from './load-tables.ts';
import { mergeQuarantined } from './quarantine/merge-quarantined.ts';
import { mergedFromLedger, mergeStaged, sumCounts, type MergedRows } from './merge-unit.ts';
import { stageFiles } from './stage-files.ts';
import { leaveOut } from './unchanged/left-out.ts';
import type { FileFailure, MergedUnit, StagedUnit, UnitSession } from './unit-session.ts';
import type { LoadTask, StagedFile, UnitHooks, UnitTask } from './unit-task.ts';

/**
 * One unit of work in the worker that holds its staging table: the same object behind a thread's
 * door and in-process. `acquire` gives the worker's connection, a new one where the old one was
 * lost; a temporary staging table lives and dies with it.
 */
export function createUnitWork(
  acquire: () => Promise<Connection>,
  task: UnitTask,
  hooks: UnitHooks,
): UnitSession {
  const { target } = task.load;
  let connection: Connection | null = null;
  let held: Held = { table: null, direct: null, staged: [] };
  /** Of a group that is merged file by file: what an earlier attempt has committed. */
  let before: MergedUnit | null = null;
  let stageMs = 0;

  const stage = async (): Promise<StagedUnit> => {
    const startedAt = hooks.now();
    connection = await acquire();
    if (task.attempt > 1) {
      before = await committedBefore(connection, task);
      if (before?.files.length === task.files.length) {
        return { rows: 0, range: null, failure: null, alreadyMerged: before };
      }
    }
    const { failure, ...kept } = await stageRest(connection, restOf(task, before), hooks);
    held = kept;
    const { table, direct, staged } = held;
    const merges = table !== null || direct !== null;
    const rows = merges ? staged.reduce((sum, file) => sum + file.rows, 0) : 0;
    const ranged = table !== null && rows > 0 && failure === null && hasOneRange(task.load);
    const range = ranged ? await stagedKeyRange(connection, target, table, task.load.utf8) : null;
    stageMs = hooks.now() - startedAt;
    const isDirect = direct !== null && task.direct !== undefined;
    const keys = table === null ? {} : jointKeys(task.load, table, rows);
    return { rows, range, ...keys, direct: isDirect, failure, alreadyMerged: null };
  };

  return {
    stage,
    exportKeys: async () => {
      const { table, staged } = held;
      assert(connection !== null && table !== null, 'keys are exported of a staged unit');
      return exportKeys(connection, task.load, table, staged);
    },
    merge: async (): Promise<MergedUnit> => {
      assert(connection !== null, 'a staged unit is merged');
      const startedAt = hooks.now();
      const { table, direct, staged } = held;
      const merged =
        direct === null
          ? await mergeInto(connection, task, table, staged, hooks)
          : await direct.commit();
      const counts = before === null ? merged.counts : sumCounts([before.counts, merged.counts]);
      const files = [...(before?.files ?? []), ...merged.files];
      const targets = before !== null && task.load.further !== undefined ? { targets: null } : {};
      const mergeMs = hooks.now() - startedAt;
      return { ...merged, ...targets, counts, files, stageMs, mergeMs };
    },
    close: async () => {
      if (connection === null || !connection.usable()) return;
      try {
        await held.direct?.rollback();
        if (held.table !== null) await dropStaging(connection, held.table.sqlName);
      } catch {
        // What cannot be tidied goes with the connection.
        connection.destroy();
      }
    },
  };
}

/** What a unit holds until it is merged: a staging table, or rows copied into the table itself. */
interface Held {
  readonly table: StagingTable | null;
  readonly direct: DirectCopy | null;
  readonly staged: readonly StagedFile[];
}

async function stageRest(
  connection: Connection,
  task: UnitTask,
  hooks: UnitHooks,
): Promise<Held & { readonly failure: FileFailure | null }> {
  const direct = await tryDirectCopy(connection, task, hooks);
  if (direct !== null) {
    return { table: null, direct, staged: direct.staged, failure: direct.failure };
  }
  const left = await leaveOut(task, hooks);
  if (left !== null) return { table: null, direct, ...left };
  const sqlName = temporaryName(task.unit);
  const fileColumn = task.files.length > 1;
  const unit = { sqlName, kind: 'temp', fileColumn } as const;
  return { direct, ...(await stageFiles(connection, task, unit, hooks)) };
}

/** The range of one table's keys says nothing of another's. */
function hasOneRange({ target, further = [] }: LoadTask): boolean {
  return target.key.length > 0 && !further.some((one) => one.target.key.length > 0);
}

async function exportKeys(
  connection: Connection,
  load: LoadTask,
  table: StagingTable,
  staged: readonly StagedFile[],
): Promise<Float64Array> {
  const rows = staged.reduce((sum, file) => sum + file.staged, 0);
  if (load.further === undefined) return exportKeyHashes(connection, load.target, table, rows);
  const keyed = keyedTables(load, table);
  return exportJointKeyHashes(connection, keyed, rows * keyed.length);
}

/** More keys than rows, where several tables have one. */
function jointKeys(load: LoadTask, table: StagingTable, rows: number): { readonly keys?: number } {
  return load.further === undefined ? {} : { keys: rows * keyedTables(load, table).length };
}

function keyedTables(load: LoadTask, table: StagingTable): SaltedKeys[] {
  return tablesOf(load, table)
    .map(({ target, staging }, salt) => ({ target, staging, salt }))
    .filter(({ target }) => target.key.length > 0);
}

function mergeInto(
  connection: Connection,
  task: UnitTask,
  table: StagingTable | null,
  staged: readonly StagedFile[],
  { signal }: UnitHooks,
): Promise<MergedRows> {
  const { quarantine } = task.load;
  return quarantine === null
    ? mergeStaged(connection, task.load, table, staged)
    : mergeQuarantined(connection, task, table, staged, quarantine, signal);
}

/** Null: the files are to be staged. */
async function tryDirectCopy(
  connection: Connection,
  task: UnitTask,
  hooks: UnitHooks,
): Promise<DirectCopy | null> {
  if (!canCopyDirectly(task) || (task.superseded?.size ?? 0) > 0) return null;
  const copied = await openDirectCopy(connection, task, hooks);
  const { failure } = copied;
  if (failure === null) return copied;
  if (task.direct === undefined) {
    // A bad file of a group must not take the others with it, nor a bad row the others of its file.
    return task.files.length === 1 && task.load.quarantine === null ? copied : null;
  }
  const sentence =
    `${nameOf(task, failure.file)} could not be copied into ${task.load.sqlName} directly ` +
    `(${plainSentence(failure.error.sentence, null, null)}) It is staged instead.`;
  hooks.news({ kind: 'notice', file: failure.file, sentence });
  return null;
}

function nameOf({ files }: UnitTask, ordinal: number): string {
  return present(
    files.find((file) => file.ordinal === ordinal),
    'the file',
  ).name;
}

/** After a connection was lost during COMMIT the ledger knows whether the merge took place. */
async function committedBefore(connection: Connection, task: UnitTask): Promise<MergedUnit | null> {
  const entries = await entriesOfRun(connection, task.load.ledger, task.files.map(ledgerPath));
  return entries.length === 0 ? null : mergedFromLedger(entries, task.files);
}

/** Files of one unit commit in their order, each by itself or all at once. */
function restOf(task: UnitTask, before: MergedUnit | null): UnitTask {
  const done = new Set(before?.files.map(({ file }) => file));
  return { ...task, files: task.files.filter((file) => !done.has(file.ordinal)) };
}
