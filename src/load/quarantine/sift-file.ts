import { assert } from '../../assert.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import { refuseTooMany, type Quarantine } from './quarantine.ts';
import { refuseChanged } from '../refuse-changed.ts';
import type { RejectSpool } from './reject-spool.ts';
import { siftBlocks } from './sift-blocks.ts';
import { siftCsv } from './sift-csv.ts';
import { siftJson } from './sift-json.ts';
import { siftParquet } from './sift-parquet.ts';
import type { DirectSift, Sift } from './sift-records.ts';
import { siftTransformed } from './sift-transformed.ts';
import { throttled, type CopyTarget } from '../stage-file.ts';
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
  const reading = { part, signal, onProgress: throttled(file.ordinal, options) };
  const { description } = file;
  assert(description.kind !== 'document', 'documents are sifted together');
  const { rows, contentHash } =
    description.kind === 'parquet'
      ? await siftParquet(sift, description, target, reading)
      : description.kind === 'json'
        ? await siftJson(sift, description, target, reading)
        : description.kind === 'transformed'
          ? await siftTransformed(sift, description, target, { ...reading, subBatchSize })
          : direct !== undefined && description.path === 'bytes'
            ? await siftBlocks(sift, description, target, reading)
            : await siftCsv(sift, description, target, reading);
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
