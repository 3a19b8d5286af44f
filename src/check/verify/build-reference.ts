import { present } from '../../assert.ts';
import { copyDocuments } from '../../load/copy-documents.ts';
import { copyTargetOf, type CopyTarget } from '../../load/copy-target.ts';
import { stageFile } from '../../load/stage-file.ts';
import type { StagedFile, UnitHooks } from '../../load/unit-task.ts';
import type { FilePlan, LoadPlan } from '../../plan/plan-types.ts';
import { hashFile } from '../../source/content-hash.ts';
import { documentIn } from '../../source/transform/input-of.ts';
import type { Connection } from '../../target/connect.ts';
import {
  applyFile,
  createReference,
  writable,
  type Reference,
  type RowPolicy,
} from '../../target/reference.ts';
import { createStaging, dropStaging, temporaryName } from '../../target/staging.ts';
import { stagingLayout } from '../../target/staging-layout.ts';
import { insertCorrected } from '../../target/settled-rows.ts';
import type { Comparison, VerifiedLoad } from './comparisons.ts';
import { findLookedUp } from './find-looked-up.ts';
import { stageWithoutRejected, type LedgerFiles } from './ledger-files.ts';

export interface BuildOptions {
  /** Of each load. */
  readonly ledger: ReadonlyMap<VerifiedLoad, LedgerFiles>;
  readonly wholeTable: boolean;
  readonly subBatchSize: number;
  readonly signal: AbortSignal;
  readonly onFile: (file: FilePlan, rows: number) => void;
}

/** A file that was read into the reference. */
export interface ReadFile {
  readonly load: VerifiedLoad;
  readonly path: string;
  readonly name: string;
  readonly rows: number;
  /** Rows that were left out, since what they name is not where it is looked up. */
  readonly unmatched: number;
  readonly contentHash: string;
}

/** Loads the files one after another into the reference, each row by row. */
export async function buildReference(
  connection: Connection,
  { loads }: Comparison,
  reference: Reference,
  options: BuildOptions,
): Promise<ReadFile[]> {
  const read: ReadFile[] = [];
  const [first] = loads;
  if (first === undefined) return read;
  await createReference(connection, first.table, reference);
  for (const load of loads) {
    for (const file of load.files) {
      read.push(await readFile(connection, load, file, reference, options));
    }
  }
  await connection.query(`analyze ${reference.sqlName}`);
  return read;
}

/** Staging is the engine's own: it decides what a file says, and not which row wins. */
async function readFile(
  connection: Connection,
  load: VerifiedLoad,
  file: FilePlan,
  reference: Reference,
  { ledger, wholeTable, subBatchSize, signal, onFile }: BuildOptions,
): Promise<ReadFile> {
  const columns = load.table.columns.map((column) =>
    load.key.includes(column.name) ? { ...column, notNull: true } : column,
  );
  const layout = stagingLayout(columns, [file], {
    sqlName: temporaryName(file.ordinal),
    kind: 'temp',
    fileColumn: false,
  });
  await writable(connection, () => createStaging(connection, layout.table, file.ordinal));
  const target = copyTargetOf(columns, layout, file);
  const hooks = { signal, news: () => undefined, now: () => 0 };
  const staging = { ...hooks, subBatchSize, superseded: null };
  const known = present(ledger.get(load), 'the ledger of a load');
  const reject = known.rejects.get(file.path);
  const into = { table: layout.table, target };
  const staged =
    documentIn(file.description) !== null
      ? await stageDocument(connection, file, target, {
          ...{ ...hooks, subBatchSize, isRejected: reject !== undefined },
        })
      : reject === undefined
        ? await stageFile(connection, file, target, staging)
        : await stageWithoutRejected(connection, file, into, reject, staging);
  const found = await findLookedUp(connection, columns, layout.table);
  if (reject !== undefined) {
    const settled = { columns: found.table.columns, targets: columns, further: load.further };
    await insertCorrected(connection, found.table, [settled], reject, known);
  }
  await applyFile(connection, reference, found.table, policyOf(load, wholeTable));
  await writable(connection, () => dropStaging(connection, found.table.sqlName));
  onFile(file, staged.rows);
  const contentHash = present(staged.contentHash, `the hash of ${file.name}`);
  const { unmatched } = found;
  return { load, path: file.path, name: file.name, rows: staged.rows, unmatched, contentHash };
}

/** The time of loading is that of a run, and no column takes it here. */
async function stageDocument(
  connection: Connection,
  file: FilePlan,
  target: CopyTarget,
  hooks: UnitHooks & { readonly subBatchSize: number; readonly isRejected: boolean },
): Promise<Pick<StagedFile, 'rows' | 'contentHash'>> {
  // Its one row was put aside.
  if (hooks.isRejected) return { rows: 1, contentHash: await hashFile(file.path, hooks.signal) };
  const copied = await copyDocuments(connection, [file], target, { ...hooks, loadedMs: 0 });
  if (copied.kind === 'refused') throw copied.error;
  return { rows: 1, contentHash: copied.hashes };
}

function policyOf(
  { onConflict, versionColumn, insertOnly = [], compare }: LoadPlan,
  wholeTable: boolean,
): RowPolicy {
  const marksStay = wholeTable || onConflict !== 'newest';
  return { onConflict, versionColumn, insertOnly, compare: compare ?? null, marksStay };
}
