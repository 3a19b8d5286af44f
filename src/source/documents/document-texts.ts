import { present } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { TextRow } from '../rows/text-row.ts';
import type { DocumentDescription, DocumentSource, SourceFile } from '../source-file.ts';
import { documentFault, type DocumentFault } from './document-rows.ts';
import { textReader } from './document-text.ts';
import { matcherOf, valueText } from './document-values.ts';
import type { DocumentWindow } from './read-documents.ts';

/** A document as a transform gets it, or why there is none. */
export type DocumentTexts =
  { readonly place: number; readonly contentHash: string; readonly row: TextRow } | DocumentFault;

export interface DocumentTextOptions {
  /** Places of contents that go to a bytea, and are spelled as its digits (`\x…`). */
  readonly digits: readonly number[];
  /** The time that a column of `loaded` has, since 1970. */
  readonly loadedMs: number;
}

/** `files`: those that the window was read from. */
export type MakeTexts = (
  window: DocumentWindow,
  files: readonly SourceFile[],
) => readonly DocumentTexts[];

/** Makes the values of documents, by their columns, as PostgreSQL would read them from a text. */
export function textMaker(
  description: DocumentDescription,
  { digits, loadedMs }: DocumentTextOptions,
): MakeTexts {
  const { columns } = description;
  const match = matcherOf(description);
  const readText = textReader(description.encoding);

  const rowOf = (file: SourceFile, content: Buffer): TextRow | EtlError => {
    if (content.length > LIMITS.transformedDocumentBytesMax) return tooLarge(file);
    const placeholders = match(file.path);
    if (placeholders === null) {
      return documentFault(file, null, 'its path does not match documents.path').error;
    }
    const values: (string | null)[] = [];
    for (const [place, { name, source }] of columns.entries()) {
      if (source.kind !== 'content') {
        values.push(plainText(source, file, placeholders, loadedMs));
      } else if (digits.includes(place)) {
        values.push(`\\x${content.toString('hex')}`);
      } else {
        const read = readText(content, 0, content.length);
        if (typeof read === 'string') return documentFault(file, name, read).error;
        const { buffer, byteOffset } = read.bytes;
        values.push(Buffer.from(buffer, byteOffset + read.start, read.end - read.start).toString());
      }
    }
    return values;
  };

  return (window, files) =>
    window.documents.map((document, index) => {
      const place = window.first + index;
      if ('error' in document) return { place, contentHash: null, error: document.error };
      const { contentHash, start, end } = document;
      const file = present(files[place], 'the file of a document');
      const row = rowOf(file, window.bytes.subarray(start, end));
      return row instanceof EtlError
        ? { place, contentHash, error: row }
        : { place, contentHash, row };
    });
}

function plainText(
  source: DocumentSource,
  file: SourceFile,
  placeholders: readonly string[],
  loadedMs: number,
): string | null {
  if (source.kind === 'modified') return instantText(file.mtimeMs);
  if (source.kind === 'loaded') return instantText(loadedMs);
  return valueText(source, file, placeholders);
}

/** To the microsecond, as the column keeps it. */
function instantText(ms: number): string {
  const microseconds = Math.round(ms * 1_000);
  const whole = Math.floor(microseconds / 1_000);
  const rest = String(microseconds - whole * 1_000).padStart(3, '0');
  return new Date(whole).toISOString().replace('Z', `${rest}Z`);
}

/** The text of a content is in memory several times on its way through a transform. */
function tooLarge(file: SourceFile): EtlError {
  const limit = LIMITS.transformedDocumentBytesMax;
  return new EtlError(
    'ETL_LIMIT',
    `The document has ${file.bytes} bytes; one that goes through a transform may have ${limit} at most.`,
    'Leave it out, or load it by a job without the transform.',
    { file: file.name, limit },
  );
}
