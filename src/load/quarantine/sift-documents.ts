import { present } from '../../assert.ts';
import { errorRecordOf } from '../../errors.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import { hashFile } from '../../source/content-hash.ts';
import type { DocumentFault } from '../../source/documents/document-rows.ts';
import { castColumns, takeBadCasts } from '../../target/bad-cast.ts';
import type { Connection } from '../../target/connect.ts';
import type { StagingTable } from '../../target/staging.ts';
import { rowOfError, type StagedDocuments } from '../copy-documents.ts';
import { stagedDocument } from '../staged-documents.ts';
import { fileFailure } from '../file-failure.ts';
import type { DocumentBatch, DocumentHooks, OpenDocuments } from '../document-batch.ts';
import { openDocuments } from '../open-documents.ts';
import type { CopyTarget } from '../copy-target.ts';
import type { FileFailure } from '../unit-session.ts';
import type { StagedFile } from '../unit-task.ts';
import { isRowFault, type Quarantine } from './quarantine.ts';
import type { RejectSpool } from './reject-spool.ts';
import { siftBatch, type Sift, type SiftedBatch } from './sift-records.ts';

export interface SiftDocumentsOptions extends DocumentHooks {
  readonly quarantine: Quarantine;
  /** Of documents that COPY refuses, and of those with a value that the merge could not cast. */
  readonly spool: RejectSpool;
  readonly castSpool: RejectSpool;
}

/**
 * Stages the documents of a unit, once more or for the first time, a batch at a time, and leaves the bad ones out. How many
 * there may be is not asked: `maxErrors` counts the bad rows of a file, and a document has one.
 */
export async function siftDocuments(
  connection: Connection,
  files: readonly FilePlan[],
  table: StagingTable,
  target: CopyTarget,
  options: SiftDocumentsOptions,
): Promise<StagedDocuments> {
  const staged: StagedFile[] = [];
  const sifting: Sifting = {
    ...{ files, staged, options, numbers: [] },
    documents: openDocuments(files, target, { ...options, goOn: true }),
    sift: siftOf(connection, files, target, options),
  };
  let failure: FileFailure | null = null;
  try {
    for await (const batch of sifting.documents.batches()) await siftDocumentBatch(sifting, batch);
  } catch (error) {
    // The first that is not told of yet.
    const { ordinal } = present(files[Math.min(staged.length, files.length - 1)], 'a document');
    failure = fileFailure(ordinal, error, options.signal);
  }
  return { staged: await withoutBadCasts(connection, sifting, table, target), failure };
}

interface Sifting {
  readonly files: readonly FilePlan[];
  readonly sift: Sift;
  readonly documents: OpenDocuments;
  readonly options: SiftDocumentsOptions;
  /** In the order of the files, as far as it has got. */
  readonly staged: StagedFile[];
  /** For each number of a row in staging, the place of its document. */
  readonly numbers: number[];
}

function siftOf(
  connection: Connection,
  files: readonly FilePlan[],
  { columnName }: CopyTarget,
  { quarantine, spool, subBatchSize }: SiftDocumentsOptions,
): Sift {
  return {
    ...{ connection, spool, columnName, batchMax: subBatchSize, size: subBatchSize },
    file: present(files[0], 'a document'),
    quarantine,
    staged: 0,
    rejected: 0,
  };
}

/** The bad ones are told in their order: between them, what is good is copied. */
async function siftDocumentBatch(sifting: Sifting, batch: DocumentBatch): Promise<void> {
  const { numbers } = sifting;
  const { places, faults } = batch;
  for (const place of places) numbers.push(place);
  let from = 0;
  const copyBefore = async (end: number): Promise<void> => {
    let to = from;
    while (to < places.length && present(places[to], 'a place') < end) to++;
    if (to > from) await siftRows(sifting, batch, from, to);
    from = to;
  };
  for (const fault of faults) {
    await copyBefore(fault.place);
    await rejectFault(sifting, fault);
  }
  await copyBefore(Infinity);
}

/** Rows `[begin, end)` of the batch. */
async function siftRows(
  { files, sift, documents, options, staged }: Sifting,
  { places, hashes, encode, ...batch }: DocumentBatch,
  begin: number,
  end: number,
): Promise<void> {
  const fileAt = (index: number): FilePlan =>
    present(files[places[begin + index] ?? -1], 'a document');
  const { sql, header, trailer } = documents;
  const firstRow = batch.firstRow + begin;
  const sifted: SiftedBatch = {
    first: firstRow,
    count: end - begin,
    fileOf: fileAt,
    copy: (from, to) =>
      sift.connection.copyIn(sql, [header, encode(begin + from, begin + to), trailer]),
    indexOf: (error, from, to) => {
      // What the encoder refuses has its number in staging; what the server does, its row of this COPY.
      const row = rowOfError(error) ?? 0;
      const index = error.record.facts.line === row ? row - firstRow : from + row - 1;
      return index >= from && index < to ? index : null;
    },
  };
  await siftBatch(sift, sifted);
  for (const [index, contentHash] of hashes.slice(begin, end).entries()) {
    const file = fileAt(index);
    const rejected = options.spool.rejectedOf(file.ordinal);
    staged.push(stagedDocument(files, file, { contentHash, ...siftedCounts(rejected) }));
    options.news({ kind: 'file-staged', file: file.ordinal, rows: 1 });
  }
}

function siftedCounts(rejected: number): Pick<StagedFile, 'staged' | 'rejected' | 'sifted'> {
  return { staged: 1 - rejected, rejected, sifted: true };
}

/** What cannot be read, or is not as it was, ends the unit there: that is no fault of a row. */
async function rejectFault(
  { files, staged, options }: Sifting,
  fault: DocumentFault,
): Promise<void> {
  const file = present(files[fault.place], 'a document');
  const { record } = fault.error;
  if (!isRowFault(errorRecordOf(fault.error))) throw fault.error;
  const { sentence, facts } = record;
  const place = { file: file.ordinal, record: 1, column: facts.column ?? null };
  await options.spool.add({ ...place, sqlState: null, reason: sentence });
  const contentHash = fault.contentHash ?? (await hashFile(file.path, options.signal));
  staged.push(stagedDocument(files, file, { contentHash, ...siftedCounts(1) }));
}

async function withoutBadCasts(
  connection: Connection,
  { files, staged, numbers, options }: Sifting,
  table: StagingTable,
  { layout, columnName }: CopyTarget,
): Promise<StagedFile[]> {
  const casts = castColumns(table, layout.copyColumns);
  if (casts.length === 0) return staged;
  const all = [...staged];
  for (;;) {
    const bad = await takeBadCasts(connection, table, casts, null);
    if (bad.length === 0) return all;
    for (const { row, column, error } of bad) {
      const place = present(numbers[row - 1], 'the place of a row');
      const file = present(files[place], 'a document');
      const { sentence, facts } = error.record;
      const told = { file: file.ordinal, record: 1, column: columnName(column) };
      await options.castSpool.add({ ...told, sqlState: facts.sqlState ?? null, reason: sentence });
      all[place] = { ...present(all[place], 'a staged document'), ...siftedCounts(1) };
    }
  }
}
