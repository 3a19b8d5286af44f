import { EtlError, type ErrorCode, type ErrorFacts } from '../../errors.ts';
import { remedy, setting, type Remedy } from '../../remedy.ts';
import { LIMITS } from '../../limits.ts';
import { lineAt } from '../line-at.ts';
import type { SourceFile } from '../source-file.ts';
import type { JsonFault } from './json-bytes.ts';
import type { JsonWindow } from './json-window.ts';

/** The user's error of what was found in a file's bytes. `facts`: what is known beside the place. */
export async function errorOfFault(
  file: SourceFile,
  fault: JsonFault,
  { base, frame }: Pick<JsonWindow, 'base' | 'frame'>,
  facts: ErrorFacts = {},
): Promise<EtlError> {
  const inRecord = frame.steps === null ? frame.state === 'value' : frame.state === 'first';
  const place = {
    file: file.name,
    line: await lineAt(file, base + fault.offset),
    ...(inRecord && fault.kind !== 'encoding' ? { record: frame.records + 1 } : {}),
  };
  const ofRow = fault.kind === 'encoding' && file.badBytes === 'of a row';
  const told = ofRow ? BAD_BYTES : TOLD[fault.kind];
  return new EtlError(
    told.code,
    told.sentence(`${fault.message}${await beginningOf(file, fault, base, frame, place.line)}`),
    told.remedy,
    { ...place, ...facts, ...(fault.kind === 'length' ? LENGTH : {}) },
    { cause: fault },
  );
}

/**
 * A record that is cut off, or lacks a brace, is found out lines later, in the next record or at the end
 * of the file: what is to be corrected is where it begins.
 */
async function beginningOf(
  file: SourceFile,
  { kind }: JsonFault,
  base: number,
  { start }: JsonWindow['frame'],
  line: number,
): Promise<string> {
  if (kind !== 'form' || start === 0) return '';
  const begun = await lineAt(file, base + start);
  return begun < line ? `; the record begins in line ${begun}` : '';
}

/** Where bad bytes are a row's fault. */
const BAD_BYTES: Told = {
  code: 'ETL_ROW_INVALID',
  sentence: (what) => `JSON is UTF-8, but ${what}.`,
  remedy: 'Correct the record.',
};

const LENGTH = { limit: LIMITS.jsonRecordBytesMax };

interface Told {
  readonly code: ErrorCode;
  readonly sentence: (what: string) => string;
  readonly remedy: string | Remedy;
}

const TOLD: Readonly<Record<JsonFault['kind'], Told>> = {
  form: {
    code: 'ETL_JSON_MALFORMED',
    sentence: (what) => `It is not JSON: ${what}.`,
    remedy: 'Correct the file, or have it written again.',
  },
  field: {
    code: 'ETL_COLUMN_MISSING',
    sentence: (what) => `The columns are the fields of the sampled records, but ${what}.`,
    remedy: remedy`Name the columns with their pointers (${setting('json.columns')}): what is not there is left out.`,
  },
  record: {
    code: 'ETL_JSON_MALFORMED',
    sentence: (what) => `A record is an object, but ${what}.`,
    remedy: remedy`Name the array of records (${setting('json.records')}), or give the columns of a record that is an array pointers such as /0 (${setting('json.columns')}).`,
  },
  array: {
    code: 'ETL_JSON_MALFORMED',
    sentence: (what) => `The array of records is not where it is said to be: ${what}.`,
    remedy: remedy`Correct the pointer, for example ${setting('json.records', '/releases')}; leave it out where the file is the array.`,
  },
  value: {
    code: 'ETL_ROW_INVALID',
    sentence: (what) => `The value cannot be loaded: ${what}.`,
    remedy: 'Correct the value, or load the column as json.',
  },
  length: {
    code: 'ETL_LIMIT',
    sentence: (what) => `A record, or what is beside the records, is too large: ${what}.`,
    remedy: remedy`Where the records are inside of another value, name their array: ${setting('json.records')}.`,
  },
  encoding: {
    code: 'ETL_FILE_FORMAT',
    sentence: (what) => `JSON is UTF-8, but ${what}.`,
    remedy: 'Convert the file to UTF-8.',
  },
};
