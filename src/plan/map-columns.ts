import type { ErrorCode, ErrorRecord } from '../errors.ts';
import { didYouMean, nearestName } from '../job/nearest-name.ts';
import type { TargetColumn } from '../target/table.ts';
import { matchName } from './match-name.ts';

export interface MappingRequest {
  /** Name for people: the file's, as in errors. */
  readonly file: string;
  /** Columns of the file, in its order. */
  readonly columns: readonly string[];
  readonly isCsv: boolean;
  /** False where the file has no header: then the table's order is taken. */
  readonly header: boolean;
  /** `columns` of the job: file column to table column, null to leave it out. */
  readonly explicit: Readonly<Record<string, string | null>>;
  readonly table: { readonly sqlName: string; readonly columns: readonly TargetColumn[] };
  /** Columns that each file must bring: the key, and the version column. */
  readonly required: readonly string[];
}

export interface Mapping {
  /** For each column of the file: the column of the table, or null. */
  readonly targets: readonly (string | null)[];
  /** All that is wrong with it; the targets are of use only where this is empty. */
  readonly problems: readonly ErrorRecord[];
}

/** Decides for one file which of its columns goes where. */
export function mapColumns(request: MappingRequest): Mapping {
  const problems: ErrorRecord[] = [];
  const targets = request.columns.map((column, index) =>
    targetOf(request, column, index, problems),
  );
  problems.push(
    ...sameTargetTwice(request, targets),
    ...notWritable(request, targets),
    ...notBrought(request, targets),
  );
  return { targets, problems };
}

function targetOf(
  request: MappingRequest,
  column: string,
  index: number,
  problems: ErrorRecord[],
): string | null {
  const names = request.table.columns.map((target) => target.name);
  const explicit = Object.hasOwn(request.explicit, column) ? request.explicit[column] : undefined;
  if (explicit === null) return null;
  if (explicit !== undefined) {
    const target = matchName(explicit, names);
    if (target === null) problems.push(unknownTarget(request, column, explicit, names));
    return target;
  }
  if (!request.header) {
    const target = request.table.columns.filter(isWritable)[index]?.name ?? null;
    if (target === null) problems.push(tooManyColumns(request, column));
    return target;
  }
  const target = matchName(column, names);
  if (target === null) problems.push(unknownColumn(request, column, names));
  return target;
}

function sameTargetTwice(
  request: MappingRequest,
  targets: readonly (string | null)[],
): ErrorRecord[] {
  return targets.flatMap((target, index) => {
    const first = target === null ? index : targets.indexOf(target);
    if (first === index) return [];
    const [one, other] = [request.columns[first] ?? '', request.columns[index] ?? ''];
    return problem(
      request,
      'ETL_COLUMN_DUPLICATE',
      other,
      `The columns "${one}" and "${other}" both go to "${target ?? ''}" of ${request.table.sqlName}.`,
      `Leave one out: ${columnsFlag(other, null)}.`,
    );
  });
}

function notWritable(request: MappingRequest, targets: readonly (string | null)[]): ErrorRecord[] {
  return request.table.columns.flatMap((column) => {
    const index = targets.indexOf(column.name);
    if (isWritable(column) || index < 0) return [];
    const source = request.columns[index] ?? '';
    return problem(
      request,
      'ETL_COLUMN_TYPE',
      source,
      `The column "${column.name}" of ${request.table.sqlName} is generated and cannot be written.`,
      `Leave it out: ${columnsFlag(source, null)}.`,
    );
  });
}

/** Required columns that the file lacks, and those that would be null where the table forbids it. */
function notBrought(request: MappingRequest, targets: readonly (string | null)[]): ErrorRecord[] {
  return request.table.columns.flatMap((column) => {
    if (targets.includes(column.name)) return [];
    const required = request.required.includes(column.name);
    if (!required && (!column.notNull || column.hasDefault || !isWritable(column))) return [];
    const because = required
      ? 'each file must bring the key and the version column'
      : 'it is NOT NULL and has no default';
    return problem(
      request,
      'ETL_COLUMN_MISSING',
      column.name,
      `No column of the file goes to "${column.name}" of ${request.table.sqlName}: ${because}. The file's columns: ${request.columns.join(', ')}.`,
      `Map one: --columns 'name=${column.name}'.`,
    );
  });
}

function isWritable(column: TargetColumn): boolean {
  return column.generated !== 'stored' && column.generated !== 'virtual';
}

function unknownTarget(
  request: MappingRequest,
  column: string,
  wanted: string,
  names: readonly string[],
): ErrorRecord {
  const sentence = `${request.table.sqlName} has no column "${wanted}".${didYouMean(wanted, names)}`;
  return problem(request, 'ETL_COLUMN_MISSING', column, sentence, columnsOf(names));
}

/**
 * A column that the table lacks is an error, not a silent loss: who wants to leave it out says so.
 */
function unknownColumn(
  request: MappingRequest,
  column: string,
  names: readonly string[],
): ErrorRecord {
  const sentence = `${request.table.sqlName} has no such column.${didYouMean(column, names)}`;
  const target = nearestName(column, names) ?? 'name';
  const remedy =
    request.isCsv && request.columns.length === 1
      ? 'It is the only one. Where fields are parted by another character, name it with --csv-delimiter; where lines stand before the header, leave them out with --csv-skip-lines.'
      : `${columnsOf(names)} Leave it out with ${columnsFlag(column, null)}, or map it with ${columnsFlag(column, target)}.`;
  return problem(request, 'ETL_COLUMN_MISSING', column, sentence, remedy);
}

function tooManyColumns(request: MappingRequest, column: string): ErrorRecord {
  const writable = request.table.columns.filter(isWritable).map((target) => target.name);
  const sentence = `The file has ${request.columns.length} columns and no header; ${request.table.sqlName} has ${writable.length} columns that can be written.`;
  return problem(request, 'ETL_COLUMN_MISSING', column, sentence, columnsOf(writable));
}

/** How a column is mapped, or left out, in words that work: a flag parts names and trims them. */
function columnsFlag(source: string, target: string | null): string {
  return /^\s|\s$|[,=()']/.test(source) || /[,()']/.test(target ?? '')
    ? `"columns": ${JSON.stringify({ [source]: target })} in a job file`
    : `--columns '${source}=${target ?? ''}'`;
}

function columnsOf(names: readonly string[]): string {
  return `The table's columns: ${names.join(', ')}.`;
}

function problem(
  { file, table }: MappingRequest,
  code: ErrorCode,
  column: string,
  sentence: string,
  remedy: string,
): ErrorRecord {
  return { code, sentence, remedy, facts: { file, column, table: table.sqlName } };
}
