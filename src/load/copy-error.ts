import { EtlError, remedyOf, type ErrorFacts, type ErrorRecord } from '../errors.ts';
import { remedy, setting, type Remedy } from '../remedy.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { locateCopyLine } from '../source/csv/locate-record.ts';
import { lineOfRecord } from '../source/json/line-of-record.ts';
import { rowsBefore } from '../source/parquet/read-parquet.ts';
import { inputOf } from '../source/transform/input-of.ts';
import { recordLine, recordsBefore } from './record-line.ts';
import type { UnitPart } from './unit-task.ts';
import { remedyOfValue } from './value-remedy.ts';

/** What PostgreSQL says of the place: `COPY t, line 105, column c3: "12,50"`. */
export interface CopyContext {
  /** 1-based line of what was sent: for CSV lines, inside quotes too; else rows. */
  readonly record: number;
  readonly column: string | null;
  readonly value: string | null;
}

/** Null where the error names no line of a COPY. */
export function copyContextOf({ cause }: Error): CopyContext | null {
  const { where = '' } = (cause ?? {}) as { readonly where?: string };
  const match = /COPY [^\n]*?, line (\d+)(?:, column ([^:\n]+))?(?:: "([\s\S]*?)"(?:\n|$))?/.exec(
    where,
  );
  if (match === null) return null;
  const column = match[2] ?? null;
  return {
    record: Number(match[1]),
    column,
    value: column === null ? null : (match[3] ?? null),
  };
}

/**
 * An error of a file's COPY, told in the file's own terms: its line instead of the record's number,
 * the header's name instead of the staged column's, and what is wrong with the record as a whole.
 */
export async function copyError(
  error: unknown,
  file: FilePlan,
  columnName: (copied: string) => string | null,
  part?: UnitPart,
): Promise<unknown> {
  if (!(error instanceof EtlError)) return error;
  const { record } = error;
  if (record.facts.socket !== undefined || isOfServer(record.facts.sqlState)) {
    return withFacts(error, { file: file.name });
  }
  const context = copyContextOf(error);
  if (context === null) {
    return record.facts.file === undefined ? withFacts(error, { file: file.name }) : error;
  }
  const place = await placeOf(file, context.record, part);
  const facts = {
    ...(record.facts.sqlState === undefined ? {} : { sqlState: record.facts.sqlState }),
    file: file.name,
    line: place.line,
    ...(inputOf(file.description).kind === 'json' ? { record: context.record } : {}),
  };
  if (place.problem !== null) return malformed(place.problem, facts, error);
  const name = context.column ?? notNullColumn(error);
  const column = name === null ? null : columnName(name);
  return new EtlError(
    record.code,
    plainSentence(record.sentence, name, column),
    remedyOfPlace(record, context, file),
    {
      ...facts,
      ...(column === null ? {} : { column }),
      ...(context.value === null ? {} : { value: context.value }),
    },
    { cause: error },
  );
}

/** Of a value that its type does not take; a CHECK, or a length, has nothing to do with its spelling. */
function remedyOfPlace(
  record: ErrorRecord,
  { value }: CopyContext,
  file: FilePlan,
): string | Remedy {
  const spelling = /^(?:22P02|2200[78])$/.test(record.facts.sqlState ?? '');
  if (!spelling || value === null) return remedyOf(record);
  const { description } = file;
  const csvNull = description.kind === 'csv' ? description.dialect.null : null;
  return remedyOfValue(value, csvNull) ?? remedyOf(record);
}

/**
 * No room, no memory, a shutdown, a broken disk, a defect: PostgreSQL names the line that it was at,
 * and another would have met the same.
 */
function isOfServer(sqlState: string | undefined): boolean {
  return /^(?:53|57|58|XX)/.test(sqlState ?? '');
}

/** The record as a whole is at fault, so what COPY says of one column of it would mislead. */
function malformed(problem: string, facts: ErrorFacts, cause: EtlError): EtlError {
  return new EtlError(
    'ETL_CSV_MALFORMED',
    `The record cannot be loaded: ${problem}.`,
    remedy`Correct it, or check ${setting('csv.delimiter')}, ${setting('csv.quote')} and ${setting('csv.encoding')}.`,
    facts,
    { cause },
  );
}

function withFacts(error: EtlError, facts: { file: string }): EtlError {
  const { code, sentence } = error.record;
  return new EtlError(
    code,
    sentence,
    remedyOf(error.record),
    { ...error.record.facts, ...facts },
    { cause: error },
  );
}

/** A NOT NULL violation names its column beside the context. */
function notNullColumn(error: EtlError): string | null {
  return error.record.facts.sqlState === '23502' ? (error.record.facts.column ?? null) : null;
}

async function placeOf(
  file: FilePlan,
  record: number,
  part: UnitPart | undefined,
): Promise<{ line: number; problem: string | null }> {
  const { description } = file;
  if (description.kind === 'transformed') {
    const from = part === undefined ? 0 : recordsBefore(description, part);
    return { line: await recordLine(file, from + record), problem: null };
  }
  if (description.kind === 'parquet') {
    const before = part?.kind === 'row-groups' ? rowsBefore(description, part.from) : 0;
    return { line: before + record, problem: null };
  }
  if (description.kind === 'document') return { line: 1, problem: null };
  if (description.kind === 'json') {
    return { line: await lineOfRecord(file, description, record), problem: null };
  }
  const from = part?.kind === 'bytes' ? part.from : null;
  try {
    const located = await locateCopyLine(file, description, record, from);
    if (located !== null) return located;
  } catch {
    // The file may be broken beyond that place; the record's number is still true.
  }
  return { line: record, problem: null };
}

/** The staged column's name means nothing to people. */
export function plainSentence(
  sentence: string,
  staged: string | null,
  column: string | null,
): string {
  const told = sentence
    .replace(/ of relation "[^"]*"/g, '')
    .replace(/ \(Failing row contains [\s\S]*\)(?=\.?$)/, '');
  return staged === null || column === null ? told : told.replaceAll(`"${staged}"`, `"${column}"`);
}
