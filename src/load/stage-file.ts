import { assert } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { changedOr, refuseChanged } from '../source/refuse-changed.ts';
import type { JsonDescription, TransformedDescription } from '../source/source-file.ts';
import type { Connection } from '../target/connect.ts';
import { setFirstRow } from '../target/staging.ts';
import { copyCsv } from './copy-csv.ts';
import { copyError } from './copy-error.ts';
import { copyJson } from './copy-json.ts';
import { copyParquet } from './copy-parquet.ts';
import { refuseOutside, type CopyTarget } from './copy-target.ts';
import { fileProgress } from './file-progress.ts';
import type { Copied, StageOptions } from './stage-options.ts';
import { copyTransformed } from './transform/copy-transformed.ts';
import { leftOutFile, unchangedOf } from './unchanged/left-out.ts';
import type { StagedFile } from './unit-task.ts';

/**
 * Streams one file, or a part of it, into the table by one COPY. What it copied is what the server counted.
 */
export async function stageFile(
  connection: Connection,
  file: FilePlan,
  target: CopyTarget,
  options: StageOptions,
): Promise<StagedFile> {
  options.news({ kind: 'file-started', file: file.ordinal });
  await refuseChanged(file);
  const { superseded } = options;
  if (superseded?.kept === 0) return leftOutFile(file, superseded, options.part, options);
  const staged = await copyRecords(connection, file, target, options).catch(
    async (thrown: unknown) => {
      const error = await changedOr(thrown, file);
      // To find the line reads the file once more; where the row is sifted out it is found anyway.
      throw options.quarantined === true
        ? error
        : await copyError(error, file, target.columnName, options.part);
    },
  );
  await refuseChanged(file);
  options.news({ kind: 'file-staged', file: file.ordinal, rows: staged.rows });
  return { file, ...staged, ...unchangedOf(superseded), ...ownRows(file, options) };
}

function copyRecords(
  connection: Connection,
  file: FilePlan,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const { description } = file;
  switch (description.kind) {
    case 'csv':
      return copyCsv(connection, file, description, target, options);
    case 'parquet':
      return copyParquet(connection, file, description, target, options);
    case 'json':
      return copyJsonRecords(connection, file, description, target, options);
    case 'transformed':
      return copyTransformedRows(connection, file, description, target, options);
    case 'document':
      assert(false, 'documents are copied together');
  }
}

function ownRows(
  { ordinal }: FilePlan,
  { part }: StageOptions,
): Pick<StagedFile, 'stagedAs' | 'numbered' | 'sifted' | 'rejected' | 'spools'> {
  const sifted = part !== undefined;
  return { stagedAs: ordinal, numbered: true, sifted, rejected: 0, spools: [] };
}

async function copyJsonRecords(
  connection: Connection,
  file: FilePlan,
  description: JsonDescription,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const { signal } = options;
  const reading = { signal, onProgress: fileProgress(file.ordinal, options) };
  if (target.ordinal && options.quarantined === true) {
    await setFirstRow(connection, target.sqlName, 1);
  }
  const copied = await copyJson(connection, file, description, target, reading);
  refuseOutside(file, target, copied.rows - copied.staged);
  return copied;
}

async function copyTransformedRows(
  connection: Connection,
  file: FilePlan,
  description: TransformedDescription,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const { signal, part, subBatchSize } = options;
  const reading = { signal, part, subBatchSize, onProgress: fileProgress(file.ordinal, options) };
  const copied = await copyTransformed(connection, file, description, target, reading);
  refuseOutside(file, target, copied.rows - copied.staged);
  return copied;
}
