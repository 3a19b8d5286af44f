import { present } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import type { ColumnBatch, ColumnVector } from '../parquet/column-batch.ts';
import type {
  DocumentDescription,
  DocumentSource,
  ParquetType,
  SourceFile,
} from '../source-file.ts';
import { textReader, type DocumentText, type ReadText } from './document-text.ts';
import { matcherOf, valueText, type MatchPath } from './document-values.ts';
import { repeated, integers, texts, slices } from './document-vectors.ts';
import type { DocumentWindow } from './read-documents.ts';

/** A column of the documents as COPY is to have it. */
export interface DocumentField {
  readonly name: string;
  readonly source: DocumentSource;
  /** What its values are, in the words of the format whose encoder writes them. */
  readonly type: ParquetType;
}

/** The rows that a window's documents make, and the documents that make none. */
export interface DocumentRows {
  /** In the order of the documents. */
  readonly batch: ColumnBatch;
  /** For each row, the place of its document among the files; for each, the hash of its bytes. */
  readonly places: readonly number[];
  readonly hashes: readonly string[];
  readonly faults: readonly DocumentFault[];
}

export interface DocumentFault {
  readonly place: number;
  /** Null where it was not read. */
  readonly contentHash: string | null;
  readonly error: EtlError;
}

/** Makes rows of windows, whose `files` are those that the windows were read from. */
export type MakeRows = (
  window: DocumentWindow,
  files: readonly SourceFile[],
  firstRow: number,
) => DocumentRows;

/** `loadedMs`: the time that a column of `loaded` has, since 1970. */
export function rowMaker(
  description: DocumentDescription,
  fields: readonly DocumentField[],
  loadedMs: number,
): MakeRows {
  const reading = { match: matcherOf(description), readText: textReader(description.encoding) };
  return (window, files, firstRow) => {
    const rows: Row[] = [];
    const faults: DocumentFault[] = [];
    let place = window.first;
    for (const document of window.documents) {
      const file = present(files[place], 'the file of a document');
      if ('error' in document) {
        faults.push({ place, error: document.error, contentHash: null });
      } else {
        const row = rowOf(file, place, document, window, fields, reading);
        if ('error' in row) {
          faults.push({ place, error: row.error, contentHash: document.contentHash });
        } else rows.push(row);
      }
      place += 1;
    }
    const columns = fields.map((field) => vectorOf(field, rows, window, loadedMs));
    return {
      batch: { rows: rows.length, firstRow, columns },
      places: rows.map(({ place }) => place),
      hashes: rows.map(({ contentHash }) => contentHash),
      faults,
    };
  };
}

/** Made property by property: of many small objects, one that is spread into another takes the time. */
interface Row {
  readonly file: SourceFile;
  readonly place: number;
  readonly start: number;
  readonly end: number;
  readonly contentHash: string;
  readonly placeholders: readonly string[];
  /** Null where no column takes the content as text. */
  readonly text: DocumentText | null;
}

function rowOf(
  file: SourceFile,
  place: number,
  { start, end, contentHash }: { start: number; end: number; contentHash: string },
  { bytes }: DocumentWindow,
  fields: readonly DocumentField[],
  { match, readText }: { readonly match: MatchPath; readonly readText: ReadText },
): Row | { readonly error: EtlError } {
  const placeholders = match(file.path);
  if (placeholders === null)
    return documentFault(file, null, 'its path does not match documents.path');
  let text: DocumentText | null = null;
  for (const { name, source, type } of fields) {
    if (source.kind === 'content' && type.kind !== 'binary') {
      const read: DocumentText | string = text ?? readText(bytes, start, end);
      if (typeof read === 'string') return documentFault(file, name, read);
      text = read;
    } else if (source.kind === 'placeholder' && type.kind === 'integer') {
      const value = placeholders[source.place] ?? '';
      if (!isBigint(value))
        return documentFault(file, name, `"${value}" is no whole number of 64 bits`);
    }
  }
  return { file, place, start, end, contentHash, placeholders, text };
}

function isBigint(value: string): boolean {
  if (!/^[+-]?\d+$/.test(value)) return false;
  return value.length < 18 || BigInt.asIntN(64, BigInt(value)) === BigInt(value);
}

/** `what`: the end of a sentence. */
export function documentFault(
  file: SourceFile,
  column: string | null,
  what: string,
): { readonly error: EtlError } {
  return {
    error: new EtlError(
      'ETL_ROW_INVALID',
      `The document cannot be loaded: ${what}.`,
      remedy`Correct it or leave it out; ${setting('settings.onError', 'quarantine')} loads the others without it.`,
      { file: file.name, ...(column === null ? {} : { column }) },
    ),
  };
}

function vectorOf(
  { source, type }: DocumentField,
  rows: readonly Row[],
  { bytes }: DocumentWindow,
  loadedMs: number,
): ColumnVector {
  switch (source.kind) {
    case 'content':
      return type.kind === 'binary'
        ? slices(rows.map(({ start, end }) => ({ bytes, start, end })))
        : slices(rows.map(({ text }) => present(text, 'the text of a document')));
    case 'size':
      return integers(rows.map(({ file }) => BigInt(file.bytes)));
    case 'modified':
      return integers(rows.map(({ file }) => microseconds(file.mtimeMs)));
    case 'loaded':
      return repeated(integers([microseconds(loadedMs)]), rows.length);
    case 'constant': {
      const text = source.value === null ? '' : String(source.value);
      const one = type.kind === 'integer' ? integers([BigInt(text)]) : texts([text]);
      return repeated(one, rows.length);
    }
    case 'placeholder':
    case 'path':
    case 'name': {
      const values = rows.map((row) => valueText(source, row.file, row.placeholders) ?? '');
      return type.kind === 'integer' ? integers(values.map(BigInt)) : texts(values);
    }
  }
}

/** What a file system keeps below them is lost, as it is in PostgreSQL. */
function microseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1_000));
}
