import { present } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import { LIMITS } from '../../limits.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { DocumentFault } from '../../source/documents/document-rows.ts';
import { textMaker, type DocumentTexts } from '../../source/documents/document-texts.ts';
import { readDocuments } from '../../source/documents/read-documents.ts';
import type { TransformedDescription } from '../../source/source-file.ts';
import { documentIn } from '../../source/transform/input-of.ts';
import type { CopyTarget } from '../copy-target.ts';
import type { DocumentBatch, DocumentHooks, OpenDocuments } from '../document-batch.ts';
import { linesFor, transformedCopySql } from './copy-transformed.ts';
import { openTransform } from './open-transform.ts';
import { isFault, transformBatch, type RowFault, type TransformRun } from './transform-batch.ts';
import { transformedLine, type LineOptions } from './transformed-rows.ts';

const NOTHING = Buffer.alloc(0);

/**
 * The rows that a transform makes of documents. Each document is a row of its columns, the content among
 * them, and a batch is as many as the job asks for, or fewer where their texts are long.
 */
export function openTransformedDocuments(
  files: readonly FilePlan[],
  description: TransformedDescription,
  target: CopyTarget,
  { signal, now, loadedMs, subBatchSize, goOn = false }: DocumentHooks,
): OpenDocuments {
  const input = present(documentIn(description), 'the files are documents');
  const { digits = [] } = target.layout;
  const makeTexts = textMaker(input, { digits, loadedMs });
  const lines = linesFor(target);

  async function* texts(): AsyncGenerator<DocumentTexts> {
    for await (const window of readDocuments(files, { signal, now })) {
      yield* makeTexts(window, files);
    }
  }
  async function* batches(): AsyncGenerator<DocumentBatch> {
    const { columns, transform } = description;
    const opened = await openTransform(transform, signal);
    const run: TransformRun = { ...opened, columns, signal, stops: !goOn };
    let firstRow = 1;
    for await (const documents of together(texts(), subBatchSize)) {
      const batch = await batchOf(documents, files, run, lines, firstRow);
      firstRow += batch.places.length;
      yield batch;
    }
  }
  return { sql: transformedCopySql(target), header: NOTHING, trailer: NOTHING, batches };
}

async function* together(
  texts: AsyncIterable<DocumentTexts>,
  documentsMax: number,
): AsyncGenerator<DocumentTexts[]> {
  let documents: DocumentTexts[] = [];
  let characters = 0;
  for await (const document of texts) {
    documents.push(document);
    if ('row' in document) {
      for (const value of document.row) characters += value?.length ?? 0;
    }
    const room = characters < LIMITS.transformBatchCharactersMax;
    if (documents.length < documentsMax && room) continue;
    yield documents;
    documents = [];
    characters = 0;
  }
  if (documents.length > 0) yield documents;
}

/** Where the transform stops at its first fault, there are no rows of the documents behind that. */
async function batchOf(
  documents: readonly DocumentTexts[],
  files: readonly FilePlan[],
  run: TransformRun,
  options: LineOptions,
  firstRow: number,
): Promise<DocumentBatch> {
  const rows = documents.flatMap((document) => ('row' in document ? [document.row] : []));
  const outcomes = rows.length === 0 ? [] : await transformBatch(run, rows);
  const places: number[] = [];
  const hashes: string[] = [];
  const faults: DocumentFault[] = [];
  const lines: string[] = [];
  let next = 0;
  for (const document of documents) {
    if ('error' in document) {
      faults.push(document);
      continue;
    }
    const outcome = outcomes[next++];
    if (outcome === undefined) break;
    const { place, contentHash } = document;
    if (isFault(outcome)) {
      const error = documentError(present(files[place], 'the file of a document'), outcome);
      faults.push({ place, contentHash, error });
      continue;
    }
    lines.push(transformedLine(outcome, firstRow + lines.length, options));
    places.push(place);
    hashes.push(contentHash);
  }
  const encode = (from: number, to: number): Buffer => Buffer.from(lines.slice(from, to).join(''));
  return { firstRow, places, hashes, faults, encode };
}

function documentError({ name }: FilePlan, { reason, column }: RowFault): EtlError {
  return new EtlError(
    'ETL_TRANSFORM',
    reason,
    remedy`Correct the document or the transform, or load the others with ${setting('settings.onError', 'quarantine')}.`,
    { file: name, line: 1, ...(column === null ? {} : { column }) },
  );
}
