import { assert, present } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { rowMaker } from '../source/documents/document-rows.ts';
import { readDocuments } from '../source/documents/read-documents.ts';
import { sliceBatch } from '../source/parquet/column-batch.ts';
import { createBinaryCopyEncoder } from '../target/binary/binary-copy-encoder.ts';
import { singlyCopySql } from '../target/copy-sql.ts';
import type { DocumentBatch, DocumentHooks, OpenDocuments } from './document-batch.ts';
import { copiedColumns, type CopyTarget } from './copy-target.ts';
import { openTransformedDocuments } from './transform/transformed-documents.ts';

/** Reads documents, makes rows of them, and of these what their transform makes of them. */
export function openDocuments(
  files: readonly FilePlan[],
  target: CopyTarget,
  hooks: DocumentHooks,
): OpenDocuments {
  const { description } = present(files[0], 'a document');
  if (description.kind === 'transformed') {
    return openTransformedDocuments(files, description, target, hooks);
  }
  assert(description.kind === 'document', 'the files are documents');
  const fields = present(target.layout.documents, 'a layout of documents');
  const encoder = createBinaryCopyEncoder(fields, { ordinal: target.ordinal, reuse: true });
  const makeRows = rowMaker(description, fields, hooks.loadedMs);
  async function* batches(): AsyncGenerator<DocumentBatch> {
    let firstRow = 1;
    for await (const window of readDocuments(files, hooks)) {
      const { batch, ...rest } = makeRows(window, files, firstRow);
      const encode = (from: number, to: number): Buffer => {
        const rows = to - from === batch.rows ? batch : sliceBatch(batch, from, to);
        return encoder.encode(rows, rows.firstRow);
      };
      yield { ...rest, firstRow, encode };
      firstRow += batch.rows;
    }
  }
  return {
    sql: singlyCopySql(target.sqlName, copiedColumns(target), target.where),
    header: encoder.header(),
    trailer: encoder.trailer(),
    batches,
    release: () => encoder.release(),
  };
}
