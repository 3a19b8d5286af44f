import { assert } from '../../assert.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import { refuseTooMany, type Quarantine } from './quarantine.ts';
import { heedingChanges, refuseChanged } from '../../source/refuse-changed.ts';
import type { RejectSpool } from './reject-spool.ts';
import { siftBlocks } from './sift-blocks.ts';
import { siftCsv } from './sift-csv.ts';
import { siftJson } from './sift-json.ts';
import { siftParquet } from './sift-parquet.ts';
import type { DirectSift, Sift, SiftedRows, SiftReading } from './sift-records.ts';
import { siftTransformed } from './sift-transformed.ts';
import type { CopyTarget } from '../copy-target.ts';
import { fileProgress } from '../file-progress.ts';
import type { StagedFile, UnitHooks, UnitPart } from '../unit-task.ts';

export interface SiftOptions extends UnitHooks {
  readonly quarantine: Quarantine;
  readonly spool: RejectSpool;
  readonly subBatchSize: number;
  readonly part: UnitPart | undefined;
  /** Where the rows go to the table itself. */
  readonly direct?: DirectSift;
}

/**
 * Stages a file whose COPY has failed once more, batch by batch, and leaves its bad rows out. Each
 * batch is a COPY and a transaction of its own, so what it brings stays when the next is refused.
 *
 * Its `spools` are for whoever closes the spool to name.
 */
export async function siftFile(
  connection: Connection,
  file: FilePlan,
  target: CopyTarget,
  options: SiftOptions,
): Promise<StagedFile> {
  await refuseChanged(file);
  const { quarantine, spool, subBatchSize, part, signal, direct } = options;
  const sift: Sift = {
    connection,
    file,
    quarantine,
    spool,
    columnName: target.columnName,
    batchMax: subBatchSize,
    size: subBatchSize,
    staged: 0,
    rejected: 0,
    ...(direct === undefined ? {} : { direct }),
  };
  const reading = { part, signal, onProgress: fileProgress(file.ordinal, options) };
  const { rows, contentHash } = await siftRows(file, sift, target, reading);
  await refuseChanged(file);
  if (part === undefined) refuseTooMany(quarantine.maxErrors, file.name, sift.rejected, rows);
  options.news({ kind: 'file-staged', file: file.ordinal, rows });
  const { staged, rejected } = sift;
  const { ordinal } = file;
  return {
    file,
    rows,
    staged,
    contentHash,
    stagedAs: ordinal,
    numbered: true,
    sifted: true,
    rejected,
    spools: [],
  };
}

const siftRows = heedingChanges(
  (
    { description }: FilePlan,
    sift: Sift,
    target: CopyTarget,
    reading: SiftReading,
  ): Promise<SiftedRows> => {
    switch (description.kind) {
      case 'parquet':
        return siftParquet(sift, description, target, reading);
      case 'json':
        return siftJson(sift, description, target, reading);
      case 'transformed':
        return siftTransformed(sift, description, target, {
          ...reading,
          subBatchSize: sift.batchMax,
        });
      case 'csv':
        return sift.direct !== undefined && description.path === 'bytes'
          ? siftBlocks(sift, description, target, reading)
          : siftCsv(sift, description, target, reading);
      case 'document':
        assert(false, 'documents are sifted together');
    }
  },
);
