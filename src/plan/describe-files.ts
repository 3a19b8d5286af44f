import type { ErrorRecord } from '../errors.ts';
import { EtlError } from '../errors.ts';
import type { LoadRequest } from '../job/schema.ts';
import { didYouMean } from '../job/nearest-name.ts';
import { newHeaders } from '../source/csv/describe-csv.ts';
import type { FileDescription, SourceFile } from '../source/source-file.ts';
import { countText } from './figures.ts';
import { mapBounded } from './map-bounded.ts';
import type { PlanContext } from './plan-context.ts';
import { noting, throwProblems } from './problems.ts';

const FILES_AT_ONCE = 16;

/** A file with its place in the precedence and what it holds. */
export interface DescribedFile {
  readonly ordinal: number;
  readonly file: SourceFile;
  readonly description: FileDescription;
  /** Names of its columns, in its order. */
  readonly columns: readonly string[];
}

/** Finds the files and reads their headers or footers; the problems of all files come together. */
export async function describeFiles(
  request: Pick<LoadRequest, 'files' | 'order' | 'csv' | 'columns'>,
  context: Pick<PlanContext, 'cwd' | 'source'>,
): Promise<DescribedFile[]> {
  const { source, cwd } = context;
  const files = await source.findFiles(request.files, { cwd, order: request.order });
  const problems: ErrorRecord[] = [];
  const headers = newHeaders();
  const described = await mapBounded(files, FILES_AT_ONCE, async (file, ordinal) => {
    const description = await noting(problems, () =>
      source.describeFile(file, request.csv, headers),
    );
    return description === null
      ? []
      : [{ ordinal, file, description, columns: columnNames(description) }];
  });
  throwProblems(problems, `${countText(files.length)} files`);
  const all = described.flat();
  refuseUnknownColumns(request.columns, all);
  return all;
}

/** Of CSV the description's own list, which files with the same header share. */
function columnNames(description: FileDescription): readonly string[] {
  if (description.kind === 'csv') return description.columns;
  return description.columns.map((column) => column.name);
}

/** A name that no file has is a slip of the pen, and would otherwise do nothing, unseen. */
function refuseUnknownColumns(
  explicit: LoadRequest['columns'],
  files: readonly DescribedFile[],
): void {
  const known = [...new Set(files.flatMap((file) => file.columns))];
  const unknown = Object.keys(explicit).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new EtlError(
    'ETL_COLUMN_MISSING',
    `No file has a column "${unknown}", which columns maps.${didYouMean(unknown, known)}`,
    `The files' columns: ${known.join(', ')}.`,
    { column: unknown },
  );
}
