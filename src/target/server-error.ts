import { EtlError, type ErrorCode, type ErrorFacts } from '../errors.ts';
import { remedy, setting, type Remedy } from '../remedy.ts';

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
}

/**
 * Turns what pg throws into an error of ours: the SQLSTATE or the socket's code among the facts,
 * a sentence for people, and a remedy where one is known. SQLSTATEs:
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
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
      'What answers there does not speak as PostgreSQL does.',
      'Check host and port of the database URL.',
      facts,
      { cause: error },
    );
  }
  if (OF_THE_LINE.test(server.message)) {
    return fromSocket(server, 'ECONNRESET', facts);
  }
  return new EtlError('ETL_SERVER', `${server.message}.`, UNKNOWN, facts, { cause: error });
}

/** What pg says where a byte answers that is neither of the two it may be: a web server, for one. */
const NO_POSTGRES = /error establishing an SSL connection/;

/** What pg says where a line ends or is cut, also amid the answers to several statements. */
const OF_THE_LINE = /terminat|closed|ended|not queryable|timeout|received (unexpected|invalid)/i;

const UNKNOWN = 'The log of the server may say more. Then run again: it loads what is missing.';

function fromSqlState(server: Error & ServerMessage, state: string, facts: ErrorFacts): EtlError {
  const [code, told] = meaningOf(state);
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

function meaningOf(state: string): readonly [ErrorCode, string | Remedy] {
  switch (state) {
    case '28000':
    case '28P01':
      return [
        'ETL_CONNECTION',
        'Check the user, and the password: in the database URL, PGPASSWORD or ~/.pgpass.',
      ];
    case '3D000':
      return ['ETL_CONNECTION', 'Create the database, or correct its name in the database URL.'];
    case '3F000':
      return ['ETL_TABLE_MISSING', 'Correct the name of the table, or create its schema.'];
    case '42501':
      return [
        'ETL_PRIVILEGE',
        'Grant the privilege, or connect as a user who has it; etl doctor names what is missing, with its grant (with --config FILE for the tables of a job, too).',
      ];
    case '53300':
      return [
        'ETL_CONNECTION',
        remedy`Lower ${setting('settings.concurrency')}, or raise max_connections of the server (or the connection limit of the role).`,
      ];
    case '53100':
      return [
        'ETL_SERVER',
        'Make room on the disk of the server. Then run again: it loads the rest.',
      ];
    case '53200':
      return [
        'ETL_SERVER',
        remedy`Lower ${setting('settings.concurrency')} or work_mem (${setting('settings.session', { work_mem: '16MB' })}), or give the server more memory.`,
      ];
    case '53400':
      return [
        'ETL_SERVER',
        'Raise that limit of the server (temp_file_limit, for one); run again.',
      ];
    case '25006':
      return [
        'ETL_CONNECTION',
        'Connect to the primary, if this is a standby; else turn off default_transaction_read_only of the role or the database.',
      ];
    case '54000':
      return [
        'ETL_LIMIT',
        'A limit of PostgreSQL that no setting raises: shorten the value, or leave the column out of the row or of the index.',
      ];
    case '54011':
      return [
        'ETL_LIMIT',
        remedy`Leave columns out (${setting('columns', { name: null })}), or spread them over several tables; staging adds a few of its own.`,
      ];
    case '55P03':
      return [
        'ETL_LOCKED',
        remedy`Another session holds the lock; raise ${setting('settings.lockTimeoutMs')} or run later.`,
      ];
    case '57014':
      return [
        'ETL_SERVER',
        remedy`Raise ${setting('settings.statementTimeoutMs')}, if it was that.`,
      ];
    case '57P01':
    case '57P02':
    case '57P03':
    case '57P05':
      return ['ETL_CONNECTION', 'Run again once the server is up, and nobody ends its sessions.'];
    case '40001':
    case '40P01':
      return ['ETL_SERVER', 'Run again when fewer others write to the table.'];
    default:
      break;
  }
  switch (state.slice(0, 2)) {
    case '23':
      return [
        'ETL_ROW_INVALID',
        remedy`Correct the value, or change the table; ${setting('settings.onError', 'quarantine')} loads the other rows, and names each bad one with its line.`,
      ];
    case '22':
    case '44':
    case 'P0':
      return ['ETL_ROW_INVALID', 'Correct the value, or change the table.'];
    case '08':
      return ['ETL_CONNECTION', 'Check the server and the network, then run again.'];
    default:
      return ['ETL_SERVER', `The log of the server may say more; its SQLSTATE is ${state}.`];
  }
}

/** What pg itself finds while it proves the password: most often that there is none. */
function fromPassword(error: Error, facts: ErrorFacts): EtlError {
  const missing = /password must be a (non-empty )?string/.test(error.message);
  return new EtlError(
    'ETL_CONNECTION',
    missing
      ? 'The server asks for a password, and none is given.'
      : `The password could not be proved: ${error.message}.`,
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
