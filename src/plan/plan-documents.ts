import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import type { LoadRequest, Settings } from '../job/schema.ts';
import { describeDocuments, pathProblems } from '../source/documents/describe-documents.ts';
import { matcherOf, valueText } from '../source/documents/document-values.ts';
import type {
  DocumentDescription,
  DocumentSource,
  FileDescription,
  TransformSource,
} from '../source/source-file.ts';
import { documentIn } from '../source/transform/input-of.ts';
import { refuseUnknownColumns, type DescribedFile } from './describe-files.ts';
import { countText } from './figures.ts';
import type { NewColumn } from './new-columns.ts';
import type { PlanContext } from './plan-context.ts';
import { withTransform } from './plan-transform.ts';
import { throwProblems } from './problems.ts';
import { holds } from './value-types.ts';

/**
 * Finds the documents of a load. None is opened: what a row has beside its content is in the path and
 * in what the file system keeps of the file.
 */
export async function describeDocumentFiles(
  request: Pick<LoadRequest, 'files' | 'order' | 'documents' | 'columns'>,
  { maxErrors }: Pick<Settings, 'maxErrors'>,
  { source, cwd }: Pick<PlanContext, 'cwd' | 'source'>,
  transform: TransformSource | null = null,
): Promise<DescribedFile[]> {
  refuseMaxErrors(maxErrors);
  const { documents, order } = request;
  const path = present(documents.path, 'the pattern of documents');
  const description = describeDocuments({ ...documents, path });
  const files = await source.findFiles(request.files, { cwd, order, format: 'document' });
  throwProblems(pathProblems(files, description), `${countText(files.length)} documents`);
  // One list and one description for all: whoever meets them again need not look at them again.
  const columns = description.columns.map(({ name }) => name);
  const found = files.map((file, ordinal) => ({ ordinal, file, description, columns }));
  const described = withTransform(found, transform);
  refuseUnknownColumns(request.columns, described.slice(0, 1));
  return described;
}

function refuseMaxErrors(maxErrors: Settings['maxErrors']): void {
  if (maxErrors === null) return;
  throw new EtlError(
    'ETL_JOB_INVALID',
    'maxErrors counts the bad rows of one file, and each document is a file of one row.',
    remedy`Leave ${setting('settings.maxErrors')} out of a job that loads documents.`,
  );
}

/** Null where the files are no documents; all files of a load are, or none is. */
export function documentsIn(
  files: readonly { readonly description: FileDescription }[],
): DocumentDescription | null {
  const description = files[0]?.description;
  return description === undefined ? null : documentIn(description);
}

/** Types of a placeholder that all its texts must hold, else it is text. */
const OF_PLACEHOLDERS = ['bigint', 'date', 'uuid'] as const;

/** The SQL types of the columns of a table that is made for documents; all paths are looked at. */
export function documentTypes(
  columns: readonly NewColumn[],
  given: ReadonlyMap<string, string>,
  files: readonly DescribedFile[],
): string[] {
  const description = present(documentsIn(files), 'documents');
  const first = present(files[0], 'a document').ordinal;
  const sources = new Map(description.columns.map(({ name, source }) => [name, source]));
  return columns.map(({ name, sources: named }) => {
    const told = given.get(name);
    if (told !== undefined) return told;
    return typeOf(
      present(sources.get(named.get(first) ?? ''), `column ${name}`),
      files,
      description,
    );
  });
}

/** Names of the new table's columns that have the contents of documents. */
export function contentColumns(
  columns: readonly NewColumn[],
  files: readonly DescribedFile[],
): ReadonlySet<string> {
  const [first] = files;
  if (first?.description.kind !== 'document') return new Set();
  const contents = first.description.columns.filter(({ source }) => source.kind === 'content');
  const isContent = ({ sources }: NewColumn): boolean =>
    contents.some(({ name }) => name === sources.get(first.ordinal));
  return new Set(columns.filter(isContent).map(({ name }) => name));
}

function typeOf(
  source: DocumentSource,
  files: readonly DescribedFile[],
  description: DocumentDescription,
): string {
  switch (source.kind) {
    case 'size':
      return 'bigint';
    case 'modified':
    case 'loaded':
      return 'timestamptz';
    case 'constant':
      if (typeof source.value === 'number') return numberType(source.value);
      return typeof source.value === 'boolean' ? 'boolean' : 'text';
    case 'placeholder': {
      const match = matcherOf(description);
      // Mostly the first path says what a placeholder is not.
      const isAll = (type: (typeof OF_PLACEHOLDERS)[number]): boolean =>
        files.every(({ file }) => {
          const text = valueText(source, file, match(file.path));
          return text === null || holds(type, text);
        });
      return OF_PLACEHOLDERS.find(isAll) ?? 'text';
    }
    case 'content':
    case 'path':
    case 'name':
      return 'text';
  }
}

function numberType(value: number): string {
  return Number.isSafeInteger(value) ? 'bigint' : 'double precision';
}
