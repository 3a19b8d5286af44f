import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import { matcherOf, valueText } from '../source/documents/document-values.ts';
import type { DocumentDescription, DocumentSource } from '../source/source-file.ts';
import type { TargetType } from '../target/table.ts';
import { NO_SPAN, spanOf } from './key-span.ts';
import type { FileToSample, SampledFile } from './sample-files.ts';
import { hashText } from './text-hash.ts';

const NO_KEYS: readonly number[] = [];

/** Of a document whose keys are not sampled. */
const UNKNOWN: SampledFile = {
  rows: 1,
  rowsExact: true,
  ordered: false,
  scattered: false,
  rising: false,
  keys: NO_KEYS,
  complete: false,
  nullKeys: 0,
  sampledRows: 0,
  span: NO_SPAN,
};

/**
 * What `sampleFiles` tells, of documents: all of it, since their keys are in their paths. They are
 * hashed by their spelling, which spares the database a hundred thousand of them; all that is missed are
 * keys that are spelled in two ways, and the proof finds these while loading.
 *
 * @throws EtlError ETL_KEY_INVALID for a key that is only known once the documents are read
 */
export function sampleDocuments(
  files: readonly FileToSample[],
  keyTypes: readonly TargetType[],
  description: DocumentDescription,
): SampledFile[] {
  const match = matcherOf(description);
  const leading = keyTypes[0];
  const sources = (files[0]?.keyColumns ?? []).map((name) => keySource(description, name));
  return files.map(({ file, keyColumns }) => {
    if (keyColumns === null || leading === undefined) return UNKNOWN;
    const placeholders = match(file.path);
    const key = sources.map((source) => keyText(source, valueText(source, file, placeholders)));
    const hash = hashText(key);
    const isNull = Number.isNaN(hash);
    return {
      rows: 1,
      rowsExact: true,
      ordered: false,
      scattered: false,
      rising: false,
      span: spanOf(leading, [key[0] ?? null]),
      keys: isNull ? NO_KEYS : [hash],
      complete: true,
      nullKeys: isNull ? 1 : 0,
      sampledRows: 1,
    };
  });
}

function keySource({ columns }: DocumentDescription, name: string): DocumentSource {
  const { source } = present(
    columns.find((column) => column.name === name),
    `column ${name}`,
  );
  if (source.kind !== 'content') return source;
  throw new EtlError(
    'ETL_KEY_INVALID',
    `The key column "${name}" is the content of documents, which is not known before they are read.`,
    'Take the key from the path of the documents, by placeholders in documents.path.',
    { column: name },
  );
}

/** All rows of a run have one time of loading. */
function keyText(source: DocumentSource, text: string | null): string | null {
  return source.kind === 'loaded' ? '' : text;
}
