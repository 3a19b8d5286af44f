import { errorRecord, type ErrorCode, type ErrorRecord } from '../errors.ts';
import { remedy, setting, type NamedSetting, type Remedy } from '../remedy.ts';
import { didYouMean, nearestName } from '../job/nearest-name.ts';
import { pointerTo } from '../source/json/pointer.ts';
import { readable } from '../target/names.ts';
import type { TargetColumn } from '../target/table.ts';
import { matchName } from './match-name.ts';

export interface MappingRequest {
  /** Name for people: the file's, as in errors. */
  readonly file: string;
  /** Columns of the file, in its order. */
  readonly columns: readonly string[];
  /** Where flags tell how such a file is read. */
  readonly format: 'csv' | 'json' | null;
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
  const stranger = nothingFits(request);
  if (stranger !== null) return { targets: request.columns.map(() => null), problems: [stranger] };
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
      remedy`Leave one out: ${columnSetting(other, null)}.`,
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
      remedy`Leave it out: ${columnSetting(source, null)}.`,
    );
  });
}

/** Required columns that the file lacks, and those that would be null where the table forbids it. */
function notBrought(request: MappingRequest, targets: readonly (string | null)[]): ErrorRecord[] {
  const { table } = request;
  const unused = request.columns.filter((_, index) => targets[index] === null);
  return table.columns.flatMap((column) => {
    if (targets.includes(column.name)) return [];
    const required = request.required.includes(column.name);
    if (!required && (!column.notNull || column.hasDefault || !isWritable(column))) return [];
    const because = required
      ? 'each file must bring the key and the version column'
      : 'it is NOT NULL and has no default';
    const source = nearestName(column.name, unused) ?? unused[0];
    const orDefault = required
      ? ''
      : `, or give it a default: alter table ${table.sqlName} alter ${readable(column.name)} set default …;`;
    return problem(
      request,
      'ETL_COLUMN_MISSING',
      column.name,
      `No column goes to "${column.name}" of ${table.sqlName}: ${because}. The columns: ${request.columns.join(', ')}.`,
      source === undefined
        ? `Add it to the file${orDefault || '.'}`
        : remedy`If one of them is it, map it, for example ${columnSetting(source, column.name)}${orDefault || '.'}`,
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
  const taken = request.columns.map((other) => matchName(other, names));
  const free = request.table.columns
    .filter((target) => isWritable(target) && !taken.includes(target.name))
    .map(({ name }) => name);
  const sentence = `${request.table.sqlName} has no such column.${didYouMean(column, free)}`;
  const target = nearestName(column, free) ?? free[0];
  const leaveOut = columnSetting(column, null);
  const advice =
    target === undefined
      ? remedy`${columnsOf(names)} Leave it out with ${leaveOut}, or add it to the table.`
      : remedy`${columnsOf(names)} Leave it out with ${leaveOut}, or map it with ${columnSetting(column, target)}.`;
  return problem(request, 'ETL_COLUMN_MISSING', column, sentence, advice);
}

/** A file of which no column is one of the table is read otherwise than it was meant, most often. */
function nothingFits(request: MappingRequest): ErrorRecord | null {
  const { columns, table, explicit, header, format } = request;
  const names = table.columns.map(({ name }) => name);
  const fits = (column: string): boolean =>
    Object.hasOwn(explicit, column) || matchName(column, names) !== null;
  const [first] = columns;
  if (!header || first === undefined || columns.some(fits)) return null;
  const more = columns.length - COLUMNS_SHOWN_MAX;
  const shown = columns.slice(0, COLUMNS_SHOWN_MAX).join(', ');
  const map = remedy`map them, for example ${columnSetting(first, names[0] ?? '')}`;
  const lines = remedy`where lines stand before the header, leave them out with ${setting('csv.skipLines')}`;
  const read =
    format === 'json'
      ? remedy`Where the records are inside of a value, name their array, for example ${setting('json.records', pointerTo(first))}; else ${map}.`
      : format === null
        ? remedy`Name another table, or ${map}.`
        : columns.length === 1
          ? remedy`Where fields are parted by another character, name it with ${setting('csv.delimiter')}; ${lines}; else ${map}.`
          : remedy`If the file has no header, say so with ${setting('csv.header', false)}; ${lines}; else ${map}.`;
  return problem(
    request,
    'ETL_COLUMN_MISSING',
    null,
    `No column of the file is one of ${table.sqlName}: ${shown}${more > 0 ? ` and ${more} more` : ''}.`,
    remedy`${columnsOf(names)} ${read}`,
  );
}

const COLUMNS_SHOWN_MAX = 20;

function tooManyColumns(request: MappingRequest, column: string): ErrorRecord {
  const writable = request.table.columns.filter(isWritable).map((target) => target.name);
  const sentence = `The file has ${request.columns.length} columns and no header; ${request.table.sqlName} has ${writable.length} columns that can be written.`;
  return problem(request, 'ETL_COLUMN_MISSING', column, sentence, columnsOf(writable));
}

/** How a column is mapped, or left out, in words that work: a flag parts names and trims them. */
function columnSetting(source: string, target: string | null): NamedSetting {
  const named = setting('columns', { [source]: target });
  return /^\s|\s$|[,=()]/.test(source) || /[,()]/.test(target ?? '')
    ? { ...named, flag: `"columns": ${JSON.stringify({ [source]: target })} in a job file` }
    : named;
}

function columnsOf(names: readonly string[]): string {
  return `The table's columns: ${names.join(', ')}.`;
}

function problem(
  { file, table }: MappingRequest,
  code: ErrorCode,
  column: string | null,
  sentence: string,
  advice: string | Remedy,
): ErrorRecord {
  const where = { file, ...(column === null ? {} : { column }), table: table.sqlName };
  return errorRecord(code, sentence, advice, where);
}
