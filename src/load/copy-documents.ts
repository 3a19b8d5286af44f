import { assert, present } from '../assert.ts';
import { EtlError, errorRecordOf, remedyOf } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import type { DocumentFault } from '../source/documents/document-rows.ts';
import type { Connection } from '../target/connect.ts';
import { copyContextOf, plainSentence } from './copy-error.ts';
import type { DocumentHooks } from './document-batch.ts';
import { openDocuments } from './open-documents.ts';
import { isRowFault } from './quarantine/quarantine.ts';
import type { CopyTarget } from './copy-target.ts';
import type { FileFailure } from './unit-session.ts';
import type { StagedFile } from './unit-task.ts';

export interface StagedDocuments {
  readonly staged: StagedFile[];
  readonly failure: FileFailure | null;
}

/**
 * All documents are copied, and `hashes` are theirs, as stagedDocuments takes them; or none is: then the
 * first that is at fault is known, or null.
 */
export type CopiedDocuments =
  | { readonly kind: 'copied'; readonly hashes: string }
  | { readonly kind: 'refused'; readonly place: number | null; readonly error: unknown };

/**
 * Copies documents by one COPY, a row each, in their order, so that `etl_row` counts the documents.
 *
 * Binary, since a content goes as it is: as text each line end and tab of it would be escaped here and
 * read again there, and a bytea would be sent as digits, of twice the length. What a transform gives is
 * text, and goes as such.
 */
export async function copyDocuments(
  connection: Connection,
  files: readonly FilePlan[],
  target: CopyTarget,
  hooks: DocumentHooks,
): Promise<CopiedDocuments> {
  const documents = openDocuments(files, target, hooks);
  const sent: string[] = [];
  let rows = 0;
  const told: { fault?: DocumentFault } = {};
  async function* chunks(): AsyncGenerator<Buffer> {
    yield documents.header;
    for await (const { hashes, faults, encode } of documents.batches()) {
      const [fault] = faults;
      if (fault !== undefined) {
        told.fault = fault;
        throw fault.error;
      }
      yield encode(0, hashes.length);
      sent.push(hashes.join(''));
      for (const end = rows + hashes.length; rows < end; rows++) {
        hooks.news({ kind: 'file-staged', file: fileAt(files, rows).ordinal, rows: 1 });
      }
    }
    yield documents.trailer;
  }
  try {
    const copied = await connection.copyIn(documents.sql, chunks(), { ahead: true });
    assert(copied === files.length, `COPY took ${copied} of ${files.length} documents`);
    documents.release?.();
  } catch (error) {
    if (told.fault !== undefined) return { kind: 'refused', ...told.fault };
    return { kind: 'refused', ...refusedDocument(error, files, target) };
  }
  return { kind: 'copied', hashes: sent.join('') };
}

/** Which document the server or the encoder refuses, and why, in the words of that document. */
function refusedDocument(
  error: unknown,
  files: readonly FilePlan[],
  target: CopyTarget,
): { readonly place: number | null; readonly error: unknown } {
  const row = rowOfError(error);
  const file = row === null ? undefined : files[row - 1];
  if (row === null || file === undefined || !(error instanceof EtlError))
    return { place: null, error };
  return { place: row - 1, error: errorOfDocument(error, file, target) };
}

/** The number of the row that an error of a COPY is about; null where it is about none. */
export function rowOfError(error: unknown): number | null {
  if (!(error instanceof EtlError) || !isRowFault(errorRecordOf(error))) return null;
  const context = copyContextOf(error);
  return context?.record ?? error.record.facts.line ?? null;
}

/** The error without what is of the COPY: its line, its columns, and the values that it shows. */
function errorOfDocument(
  error: EtlError,
  { name }: FilePlan,
  { columnName }: Pick<CopyTarget, 'columnName'>,
): EtlError {
  const { code, sentence, facts } = error.record;
  const context = copyContextOf(error);
  const staged = context?.column ?? (facts.sqlState === undefined ? null : (facts.column ?? null));
  const column = staged === null ? (facts.column ?? null) : columnName(staged);
  return new EtlError(
    code,
    plainSentence(sentence, staged, column),
    remedyOf(error.record),
    {
      ...(facts.sqlState === undefined ? {} : { sqlState: facts.sqlState }),
      file: name,
      ...(column === null ? {} : { column }),
    },
    { cause: error },
  );
}

function fileAt(files: readonly FilePlan[], place: number): FilePlan {
  return present(files[place], 'a document');
}
