import type { ErrorRecord } from '../errors.ts';
import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import type { LoadRequest } from '../job/schema.ts';
import { didYouMean } from '../job/nearest-name.ts';
import { newHeaders } from '../source/csv/describe-csv.ts';
import type { FileDescription, SourceFile, TransformSource } from '../source/source-file.ts';
import { countText } from './figures.ts';
import { mapBounded } from './map-bounded.ts';
import type { PlanContext } from './plan-context.ts';
import { withTransform } from './plan-transform.ts';
import { withFieldsOfAll } from './json-fields.ts';
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
  request: Pick<LoadRequest, 'files' | 'order' | 'csv' | 'json' | 'columns'>,
  context: Pick<PlanContext, 'cwd' | 'source'>,
  transform: TransformSource | null = null,
): Promise<DescribedFile[]> {
  const { source, cwd } = context;
  const files = await source.findFiles(request.files, { cwd, order: request.order });
  const problems: ErrorRecord[] = [];
  const headers = newHeaders();
  const described = await mapBounded(files, FILES_AT_ONCE, async (file, ordinal) => {
    const description = await noting(problems, () =>
      source.describeFile(file, request.csv, headers, request.json),
    );
    return description === null
      ? []
      : [{ ordinal, file, description, columns: columnNames(description) }];
  });
  throwProblems(problems, `${countText(files.length)} files`);
  const all = withTransform(withFieldsOfAll(described.flat()), transform);
  refuseNoColumns(all);
  refuseUnknownColumns(request.columns, all);
  return all;
}

/** Of CSV the description's own list, which files with the same header share. */
function columnNames(description: FileDescription): readonly string[] {
  if (description.kind === 'csv') return description.columns;
  return description.columns.map((column) => column.name);
}

/** JSON files without a record in any of them; others say themselves that they have no header. */
function refuseNoColumns(files: readonly DescribedFile[]): void {
  const empty = files.find(({ columns }) => columns.length === 0);
  if (empty === undefined) return;
  throw new EtlError(
    'ETL_FILE_EMPTY',
    'The file has no records with fields, so its columns are not known.',
    remedy`Take it out of the load, or name the columns with their pointers: ${setting('json.columns')}.`,
    { file: empty.file.name },
  );
}

/** A name that no file has is a slip of the pen, and would otherwise do nothing, unseen. */
export function refuseUnknownColumns(
  explicit: LoadRequest['columns'],
  files: readonly Pick<DescribedFile, 'columns'>[],
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
