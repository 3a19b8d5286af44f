import { present } from '../../assert.ts';
import { copyTargetOf } from '../../load/copy-target.ts';
import { stageFile } from '../../load/stage-file.ts';
import type { FilePlan, LoadPlan } from '../../plan/plan-types.ts';
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
import type { Comparison } from './comparisons.ts';

export interface BuildOptions {
  readonly wholeTable: boolean;
  readonly subBatchSize: number;
  readonly signal: AbortSignal;
  readonly onFile: (file: FilePlan, rows: number) => void;
}

/** A file that was read into the reference. */
export interface ReadFile {
  readonly path: string;
  readonly name: string;
  readonly rows: number;
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
  load: LoadPlan,
  file: FilePlan,
  reference: Reference,
  { wholeTable, subBatchSize, signal, onFile }: BuildOptions,
): Promise<ReadFile> {
  const columns = load.table.columns.map((column) =>
    load.key.includes(column.name) ? { ...column, notNull: true } : column,
  );
  const staging = {
    sqlName: temporaryName(file.ordinal),
    kind: 'temp',
    fileColumn: false,
  } as const;
  const layout = stagingLayout(columns, [file], staging);
  await writable(connection, () => createStaging(connection, layout.table, file.ordinal));
  const staged = await stageFile(connection, file, copyTargetOf(columns, layout, file), {
    signal,
    news: () => undefined,
    now: () => 0,
    subBatchSize,
    superseded: null,
  });
  await applyFile(connection, reference, layout.table, policyOf(load, wholeTable));
  await writable(connection, () => dropStaging(connection, staging.sqlName));
  onFile(file, staged.rows);
  const contentHash = present(staged.contentHash, `the hash of ${file.name}`);
  return { path: file.path, name: file.name, rows: staged.rows, contentHash };
}

function policyOf({ onConflict, versionColumn }: LoadPlan, wholeTable: boolean): RowPolicy {
  return { onConflict, versionColumn, marksStay: wholeTable || onConflict !== 'newest' };
}
