import { EtlError, type ErrorCode, type ErrorFacts } from '../errors.ts';
import { remedy, setting, type Remedy } from '../remedy.ts';
import { meaningOf } from './sql-states.ts';

/** The part of pg's DatabaseError that we read. */
interface ServerMessage {
  readonly message: string;
  readonly code?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly where?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  /** The function of the server that refused: the same in every language. */
  readonly routine?: string;
}

/**
 * Turns what pg throws into an error of ours: the SQLSTATE or the socket's code among the facts,
 * a sentence for people, and a remedy where one is known.
 */
export function serverError(error: unknown, facts: ErrorFacts = {}): EtlError {
  if (error instanceof EtlError) return error;
  if (!(error instanceof Error)) return new EtlError('ETL_SERVER', String(error), UNKNOWN, facts);
  const server = error as Error & ServerMessage;
  const code = server.code ?? '';
  if (/^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E')) return fromSqlState(server, code, facts);
  if (code !== '') return fromSocket(server, code, facts);
  if (server.message.startsWith('SASL: ')) return fromPassword(server, facts);
  if (NO_POSTGRES.test(server.message)) {
    return new EtlError(
      'ETL_CONNECTION',
      'What answers at that address is not PostgreSQL.',
      'Check host and port of the database URL.',
      facts,
      { cause: error },
    );
  }
  if (OF_THE_CONNECTION.test(server.message)) {
    return fromSocket(server, 'ECONNRESET', facts);
  }
  return new EtlError('ETL_SERVER', `${server.message}.`, UNKNOWN, facts, { cause: error });
}

/** What pg says where a byte answers that is neither of the two it may be: a web server, for one. */
const NO_POSTGRES = /error establishing an SSL connection/;

/** What pg says where a connection ends or is cut, also between the answers to several statements. */
const OF_THE_CONNECTION =
  /terminat|closed|ended|not queryable|timeout|received (unexpected|invalid)/i;

const UNKNOWN = 'The log of the server may say more. Then run again: it loads what is missing.';

function fromSqlState(server: Error & ServerMessage, state: string, facts: ErrorFacts): EtlError {
  const ofPolicy = state === '42501' && server.routine === CHECKS_ROWS;
  const [code, told] = ofPolicy ? OF_POLICY : meaningOf(state);
  const detail = server.detail === undefined ? '' : ` (${server.detail.replace(/\.$/, '')})`;
  return new EtlError(
    code,
    `${server.message}${detail}.`,
    server.hint === undefined ? told : remedy`${server.hint.replace(/\.$/, '')}. ${told}`,
    {
      ...facts,
      sqlState: state,
      ...(server.constraint === undefined ? {} : { constraint: server.constraint }),
      ...(server.table === undefined || facts.table !== undefined ? {} : { table: server.table }),
      ...(server.column === undefined || facts.column !== undefined
        ? {}
        : { column: server.column }),
    },
    { cause: server },
  );
}

/**
 * The server's function that holds a row against the policies of its table. A role that lacks a privilege has
 * the same SQLSTATE, from another function.
 */
const CHECKS_ROWS = 'ExecWithCheckOptions';

const OF_POLICY: readonly [ErrorCode, Remedy] = [
  'ETL_ROW_INVALID',
  remedy`Correct the value, or load as a role whose policies let it in; ${setting('settings.onError', 'quarantine')} loads the other rows, and names each bad one with its line.`,
];

/** What pg itself finds while it authenticates: most often that there is no password. */
function fromPassword(error: Error, facts: ErrorFacts): EtlError {
  const missing = /password must be a (non-empty )?string/.test(error.message);
  return new EtlError(
    'ETL_CONNECTION',
    missing
      ? 'The server asks for a password, and none is given.'
      : `The password could not be checked: ${error.message}.`,
    'Put it into the database URL, PGPASSWORD or ~/.pgpass.',
    facts,
    { cause: error },
  );
}

function fromSocket(error: Error, socket: string, facts: ErrorFacts): EtlError {
  const what =
    socket === 'ENOENT' || socket === 'ECONNREFUSED'
      ? 'Is the server running there? Check host and port of the database URL.'
      : socket === 'ENOTFOUND' || socket === 'EAI_AGAIN'
        ? 'Check the host name of the database URL.'
        : 'Check the server and the network, then run again.';
  const sentence = `No connection to PostgreSQL: ${error.message}.`;
  return new EtlError('ETL_CONNECTION', sentence, what, { ...facts, socket }, { cause: error });
}
