import type { ErrorCode } from '../errors.ts';
import { remedy, setting, type Remedy } from '../remedy.ts';

/** What an SQLSTATE means to whoever loads: the error's code, and its remedy. */
export type Meaning = readonly [ErrorCode, string | Remedy];

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function meaningOf(sqlState: string): Meaning {
  return (
    MEANINGS[sqlState] ??
    CLASSES[sqlState.slice(0, 2)] ?? [
      'ETL_SERVER',
      `The log of the server may say more; its SQLSTATE is ${sqlState}.`,
    ]
  );
}

const WRONG_LOGIN: Meaning = [
  'ETL_CONNECTION',
  'Check the user, and the password: in the database URL, PGPASSWORD or ~/.pgpass.',
];
const SERVER_STOPS: Meaning = [
  'ETL_CONNECTION',
  'Run again once the server is up, and nobody ends its sessions.',
];
const OTHERS_WRITE: Meaning = ['ETL_SERVER', 'Run again when fewer others write to the table.'];
const WRONG_VALUE: Meaning = ['ETL_ROW_INVALID', 'Correct the value, or change the table.'];

const MEANINGS: Readonly<Record<string, Meaning>> = {
  '25006': [
    'ETL_CONNECTION',
    'Connect to the primary, if this is a standby; else turn off default_transaction_read_only of the role or the database.',
  ],
  '28000': WRONG_LOGIN,
  '28P01': WRONG_LOGIN,
  '3D000': ['ETL_CONNECTION', 'Create the database, or correct its name in the database URL.'],
  '3F000': ['ETL_TABLE_MISSING', 'Correct the name of the table, or create its schema.'],
  '40001': OTHERS_WRITE,
  '40P01': OTHERS_WRITE,
  '42501': [
    'ETL_PRIVILEGE',
    'Grant the privilege, or connect as a user who has it; etl doctor names what is missing, with its grant (with --config FILE for the tables of a job, too).',
  ],
  '53100': [
    'ETL_SERVER',
    'Make room on the disk of the server. Then run again: it loads the rest.',
  ],
  '53200': [
    'ETL_SERVER',
    remedy`Lower ${setting('settings.concurrency')} or work_mem (${setting('settings.session', { work_mem: '16MB' })}), or give the server more memory.`,
  ],
  '53300': [
    'ETL_CONNECTION',
    remedy`Lower ${setting('settings.concurrency')}, or raise max_connections of the server (or the connection limit of the role).`,
  ],
  '53400': ['ETL_SERVER', 'Raise that limit of the server (temp_file_limit, for one); run again.'],
  '54000': [
    'ETL_LIMIT',
    'A limit of PostgreSQL that no setting raises: shorten the value, or leave the column out of the row or of the index.',
  ],
  '54011': [
    'ETL_LIMIT',
    remedy`Leave columns out (${setting('columns', { name: null })}), or spread them over several tables; staging adds a few of its own.`,
  ],
  '55P03': [
    'ETL_LOCKED',
    remedy`Another session holds the lock; raise ${setting('settings.lockTimeoutMs')} or run later.`,
  ],
  '57014': ['ETL_SERVER', remedy`Raise ${setting('settings.statementTimeoutMs')}, if it was that.`],
  '57P01': SERVER_STOPS,
  '57P02': SERVER_STOPS,
  '57P03': SERVER_STOPS,
  '57P05': SERVER_STOPS,
};

/** By the first two characters. */
const CLASSES: Readonly<Record<string, Meaning>> = {
  '08': ['ETL_CONNECTION', 'Check the server and the network, then run again.'],
  '22': WRONG_VALUE,
  '23': [
    'ETL_ROW_INVALID',
    remedy`Correct the value, or change the table; ${setting('settings.onError', 'quarantine')} loads the other rows, and names each bad one with its line.`,
  ],
  '44': WRONG_VALUE,
  P0: WRONG_VALUE,
};
