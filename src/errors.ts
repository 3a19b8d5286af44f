import type { NamedSetting, Remedy } from './remedy.ts';

/**
 * Every error that reaches a user: a code, the facts, one sentence and a remedy. The same record
 * serves a thrown error, a log line, a report entry and a message across a thread.
 *
 * Exit codes are one table: 0 all loaded, 1 failed, 2 usage, configuration or connection,
 * 3 loaded with rejected rows, 130 interrupted.
 */
export const EXIT = { ok: 0, failed: 1, usage: 2, rejected: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Every code that this project throws, with the exit code that the command line answers. */
export const ERROR_CODES = {
  ETL_ABORTED: EXIT.interrupted,
  ETL_BUSY: EXIT.failed,
  ETL_COLUMN_DUPLICATE: EXIT.usage,
  ETL_COLUMN_MISSING: EXIT.usage,
  ETL_COLUMN_TYPE: EXIT.failed,
  ETL_COMPRESSED: EXIT.failed,
  ETL_CONNECTION: EXIT.usage,
  ETL_CSV_MALFORMED: EXIT.failed,
  ETL_EMBEDDED: EXIT.usage,
  ETL_FILE_CHANGED: EXIT.failed,
  ETL_FILE_EMPTY: EXIT.usage,
  ETL_FILE_FORMAT: EXIT.usage,
  ETL_FILE_NOT_FOUND: EXIT.usage,
  ETL_FILE_READ: EXIT.failed,
  ETL_INTERNAL: EXIT.failed,
  ETL_JOB_INVALID: EXIT.usage,
  ETL_JSON_MALFORMED: EXIT.failed,
  ETL_KEY_INVALID: EXIT.usage,
  ETL_LIMIT: EXIT.failed,
  ETL_LOCKED: EXIT.usage,
  ETL_NO_ROOM: EXIT.usage,
  ETL_PARQUET_CORRUPT: EXIT.failed,
  ETL_PARQUET_UNSUPPORTED: EXIT.failed,
  ETL_PEER: EXIT.failed,
  ETL_PLAN_STALE: EXIT.usage,
  ETL_PRIVILEGE: EXIT.usage,
  ETL_ROW_INVALID: EXIT.failed,
  ETL_SERVER: EXIT.failed,
  ETL_SERVER_VERSION: EXIT.usage,
  ETL_TABLE_MISSING: EXIT.usage,
  ETL_TRANSFORM: EXIT.failed,
  ETL_USAGE: EXIT.usage,
} as const satisfies Record<string, ExitCode>;
export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error knows. All optional: only what is true of this error. Plain JSON. */
export interface ErrorFacts {
  readonly file?: string;
  /** 1-based line (CSV: of the record's first line) or row of the file. */
  readonly line?: number;
  /** 1-based record of a JSON file, many of which may stand in one line. */
  readonly record?: number;
  /** From 0, of a row in memory. */
  readonly index?: number;
  readonly column?: string;
  readonly value?: string;
  readonly table?: string;
  /** PostgreSQL's five-character SQLSTATE. */
  readonly sqlState?: string;
  /** The socket's error code, for example ECONNRESET. */
  readonly socket?: string;
  readonly constraint?: string;
  readonly limit?: number;
  /** More problems of the same kind, found together (a malformed job file, for example). */
  readonly problems?: readonly string[];
  /** Settings that the remedy, or one of the problems, names by their flags, and their fields. */
  readonly settings?: readonly NamedSetting[];
}

export interface ErrorRecord {
  readonly code: ErrorCode;
  /** One sentence that says what is wrong, without the facts' own prefix. */
  readonly sentence: string;
  /** What the user can do; settings are named by their flags (see `facts.settings`). */
  readonly remedy: string;
  readonly facts: ErrorFacts;
}

export class EtlError extends Error {
  override readonly name = 'EtlError';
  readonly record: ErrorRecord;

  constructor(
    code: ErrorCode,
    sentence: string,
    remedy: string | Remedy,
    facts: ErrorFacts = {},
    options?: { readonly cause?: unknown },
  ) {
    const record = errorRecord(code, sentence, remedy, facts);
    super(describeError(record), options);
    this.record = record;
  }

  get code(): ErrorCode {
    return this.record.code;
  }

  /** Rebuilds an error that crossed a thread as its record. */
  static fromRecord(record: ErrorRecord): EtlError {
    return new EtlError(record.code, record.sentence, record.remedy, record.facts);
  }
}

/** The record of an error that is told and not thrown. */
export function errorRecord(
  code: ErrorCode,
  sentence: string,
  remedy: string | Remedy,
  facts: ErrorFacts,
): ErrorRecord {
  if (typeof remedy === 'string') return { code, sentence, remedy, facts };
  const { text, settings } = remedy;
  return {
    ...{ code, sentence, remedy: text },
    facts: settings.length === 0 ? facts : { ...facts, settings },
  };
}

/** What a record says can be done, for an error that is made of it. */
export function remedyOf({ remedy, facts }: ErrorRecord): Remedy {
  return { text: remedy, settings: facts.settings ?? [] };
}

/** `orders.csv line 105, column "total": "12,50" is not a number. Set … [ETL_ROW_INVALID]` */
export function describeError(record: ErrorRecord): string {
  const { file, line, index, column, problems } = record.facts;
  const number = record.facts.record;
  const where = [
    file === undefined ? '' : file,
    index === undefined ? '' : `rows[${index}]`,
    line === undefined ? '' : `line ${line}`,
    number === undefined ? '' : `record ${number}`,
    column === undefined ? '' : `column "${column}"`,
  ]
    .filter((part) => part !== '')
    .join(', ')
    .replace(', line', ' line');
  const list = (problems ?? []).map((problem) => `\n  - ${problem}`).join('');
  const prefix = where === '' ? '' : `${where}: `;
  const remedy =
    record.remedy === '' ? '' : list === '' ? ` ${record.remedy}` : `\n${record.remedy}`;
  return `${prefix}${record.sentence}${list}${remedy} [${record.code}]`;
}

const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether the system has refused to write since a disk, a quota or a file's largest size is used up. */
export function isNoRoom(cause: unknown): boolean {
  return cause instanceof Error && NO_ROOM.has((cause as NodeJS.ErrnoException).code);
}

/** Of a file or folder that cannot be written. `what`: a sentence without its full stop. */
export function cannotWrite(
  what: string,
  advice: string | Remedy,
  path: string,
  cause: unknown,
): EtlError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  const code = isNoRoom(cause) ? 'ETL_NO_ROOM' : 'ETL_USAGE';
  return new EtlError(code, `${what}${reason}.`, advice, { file: path }, { cause });
}

/** The record of anything that was thrown; what is not ours is an internal error. */
export function errorRecordOf(error: unknown): ErrorRecord {
  if (error instanceof EtlError) return error.record;
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'ETL_INTERNAL',
    sentence: `Unexpected: ${message.replace(/\.$/, '')}.`,
    remedy: 'Run again with --verbose for the stack trace, and report it.',
    facts: {},
  };
}

export function exitCodeOf(record: ErrorRecord): ExitCode {
  return ERROR_CODES[record.code];
}
