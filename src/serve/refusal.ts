import { EtlError, type ErrorCode, type ErrorFacts, type ErrorRecord } from '../errors.ts';

/** A request that is not taken, with the status that says so. */
export class Refusal extends EtlError {
  readonly status: RefusalStatus;
  /** Seconds after which it may be taken; null: not as it is. */
  readonly retryAfter: number | null;

  constructor(
    status: RefusalStatus,
    sentence: string,
    remedy: string,
    more: { readonly facts?: ErrorFacts; readonly retryAfter?: number } = {},
  ) {
    super(CODES[status], sentence, remedy, more.facts);
    this.status = status;
    this.retryAfter = more.retryAfter ?? null;
  }
}

const CODES = {
  400: 'ETL_USAGE',
  401: 'ETL_USAGE',
  404: 'ETL_USAGE',
  408: 'ETL_LIMIT',
  413: 'ETL_LIMIT',
  415: 'ETL_FILE_FORMAT',
  422: 'ETL_USAGE',
  429: 'ETL_BUSY',
  431: 'ETL_LIMIT',
  503: 'ETL_BUSY',
  507: 'ETL_NO_ROOM',
} as const satisfies Record<number, ErrorCode>;
type RefusalStatus = keyof typeof CODES;

/** The status of an answer that is the engine's error: whose fault it is decides. */
const STATUS_OF: Readonly<Partial<Record<ErrorCode, number>>> = {
  ETL_ABORTED: 503,
  ETL_BUSY: 503,
  ETL_CONNECTION: 503,
  ETL_EMBEDDED: 503,
  ETL_FILE_FORMAT: 415,
  ETL_INTERNAL: 500,
  ETL_JOB_INVALID: 500,
  ETL_LOCKED: 409,
  ETL_NO_ROOM: 507,
  ETL_PLAN_STALE: 409,
  ETL_PRIVILEGE: 500,
  ETL_SERVER: 500,
  ETL_SERVER_VERSION: 500,
  ETL_TABLE_MISSING: 500,
  ETL_USAGE: 400,
};

export function statusOf({ code }: Pick<ErrorRecord, 'code'>): number {
  return STATUS_OF[code] ?? 422;
}
