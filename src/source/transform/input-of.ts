import type {
  DocumentDescription,
  FileDescription,
  TransformedDescription,
} from '../source-file.ts';

/** What the file itself holds, whatever becomes of its rows. */
export function inputOf(
  description: FileDescription,
): Exclude<FileDescription, TransformedDescription> {
  return description.kind === 'transformed' ? description.input : description;
}

/** What a document has in common with the others of its load; null where the file is none. */
export function documentIn(description: FileDescription): DocumentDescription | null {
  const input = inputOf(description);
  return input.kind === 'document' ? input : null;
}

/**
 * Whether an empty text among the values that are sent is NULL where the column's type has no such
 * value: of a CSV file whose NULL is the empty field, and of the rows that are made of Parquet, which
 * are as those of its CSV twin.
 */
export function readsEmptyAsNull(description: FileDescription): boolean {
  const input = inputOf(description);
  if (input.kind === 'csv') return input.dialect.null === '';
  return description.kind === 'transformed' && input.kind === 'parquet';
}
