import { present } from '../../assert.ts';
import { parsePathPattern } from '../../job/path-pattern.ts';
import type { DocumentDescription, DocumentSource, SourceFile } from '../source-file.ts';

/** The texts of the placeholders in a path; null where the path does not match. */
export type MatchPath = (path: string) => readonly string[] | null;

export function matcherOf({ pattern }: Pick<DocumentDescription, 'pattern'>): MatchPath {
  const parsed = parsePathPattern(pattern);
  return present(typeof parsed === 'string' ? null : parsed, 'a pattern that was checked').match;
}

/** The value as text, as PostgreSQL would read it; null is NULL, and so is what nobody knows. */
export function valueText(
  source: DocumentSource,
  file: Pick<SourceFile, 'path' | 'name' | 'bytes' | 'mtimeMs'>,
  placeholders: readonly string[] | null,
): string | null {
  switch (source.kind) {
    case 'placeholder':
      return placeholders?.[source.place] ?? null;
    case 'size':
      return String(file.bytes);
    case 'modified':
      return new Date(file.mtimeMs).toISOString();
    case 'path':
      return file.path;
    case 'name':
      return file.path.slice(file.path.lastIndexOf('/') + 1);
    case 'constant':
      return source.value === null ? null : String(source.value);
    case 'content':
    case 'loaded':
      return null;
  }
}
