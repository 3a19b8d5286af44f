import { EtlError, errorRecord, type ErrorRecord } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import type { DocumentOptions } from '../../job/document-schema.ts';
import { parsePathPattern } from '../../job/path-pattern.ts';
import { cleanEncodingName, refuseEncoding } from '../csv/text-encoding.ts';
import type { DocumentColumn, DocumentDescription, SourceFile } from '../source-file.ts';
import { matcherOf } from './document-values.ts';

/**
 * What all documents of a load have in common: the placeholders of the path, then the columns that
 * the job names, or else `content`.
 *
 * @throws EtlError ETL_JOB_INVALID for a pattern or an encoding that cannot be used
 */
export function describeDocuments(
  options: DocumentOptions & { readonly path: string },
): DocumentDescription {
  const pattern = parsePathPattern(options.path);
  if (typeof pattern === 'string') {
    throw new EtlError(
      'ETL_JOB_INVALID',
      `documents.path "${options.path}" cannot be used: ${pattern}.`,
      'Write the end of the paths with names in braces, for example {id}_{level}.html.',
    );
  }
  const encoding = cleanEncodingName(options.encoding);
  refuseEncoding(encoding, 'documents.encoding');
  const ofPath = pattern.names.map((name, place): DocumentColumn => ({
    name,
    source: { kind: 'placeholder', place },
  }));
  const named = Object.entries(options.columns).map(([name, source]): DocumentColumn => {
    if (typeof source === 'string') return { name, source: { kind: source } };
    return { name, source: { kind: 'constant', value: source.constant } };
  });
  const rest =
    named.length > 0 ? named : [{ name: 'content', source: { kind: 'content' } } as const];
  return { kind: 'document', columns: [...ofPath, ...rest], pattern: options.path, encoding };
}

/** Documents whose path says no key, but where such a file is a bad row, and is told when loaded. */
export function pathProblems(
  files: readonly SourceFile[],
  description: DocumentDescription,
): ErrorRecord[] {
  const match = matcherOf(description);
  return files
    .filter((file) => file.badBytes !== 'of a row' && match(file.path) === null)
    .map((file) =>
      errorRecord(
        'ETL_FILE_FORMAT',
        `Its path does not end like the pattern of the documents: ${description.pattern}.`,
        remedy`Leave it out by a narrower pattern of files, or correct ${setting('documents.path')}.`,
        { file: file.name },
      ),
    );
}
