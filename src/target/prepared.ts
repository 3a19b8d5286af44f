import { errorRecordOf, EtlError } from '../errors.ts';
import type { Connection } from './connect.ts';
import { hasLoaded, type LedgerContext } from './ledger.ts';
import { literal, readable } from './names.ts';

/**
 * Name of an owner's prepared transaction. `file`: pathDigest of one that it loads with the others. The
 * ledger's schema stands last, since it may hold colons; a name has room for 199 bytes.
 */
export function preparedName(
  { tableOid, runId, schema }: Pick<LedgerContext, 'tableOid' | 'runId' | 'schema'>,
  owner: number,
  file: string,
): string {
  return `etl:${tableOid}:${runId}:${owner}:${file}:${schema}`;
}

/**
 * Ends the prepared transactions that a run left behind when it died between prepare and commit.
 * Owner 0, which carries the ledger rows, is committed first: so where the ledger has the file that
 * the name tells the rest is committed, and where it has not all is rolled back. The ledger is that of
 * the run that prepared them: asked by a job with another one, ours would know of no such run.
 *
 * @throws EtlError ETL_USAGE where that ledger is gone, ETL_PRIVILEGE where this role may not read it, or
 *   not end them
 */
export async function recoverPrepared(
  connection: Connection,
  schema: string,
  tableOid: number,
): Promise<number> {
  const rows = await connection.query(
    'select gid from pg_catalog.pg_prepared_xacts where database = current_database() and starts_with(gid, $1)',
    [`etl:${tableOid}:`],
  );
  for (const row of rows) {
    const gid = String(row['gid']);
    try {
      const committed = await ledgerSays(connection, schema, tableOid, gid);
      await connection.query(`${committed ? 'commit' : 'rollback'} prepared ${literal(gid)}`);
    } catch (error) {
      throw mayNotEnd(error, gid);
    }
  }
  return rows.length;
}

/** Whether the run has loaded the file. A ledger that was renamed is ours, if that knows of the run. */
async function ledgerSays(
  connection: Connection,
  ours: string,
  tableOid: number,
  gid: string,
): Promise<boolean> {
  const [, , runId = '', , file = '', ...named] = gid.split(':');
  // A run of an earlier release did not name its ledger.
  const theirs = named.length === 0 ? ours : named.join(':');
  try {
    return await hasLoaded(connection, { schema: theirs, tableOid, runId }, file);
  } catch (error) {
    const { sqlState = '' } = errorRecordOf(error).facts;
    if (!NOT_THERE.has(sqlState)) throw error;
    if (await hasLoaded(connection, { schema: ours, tableOid, runId }, file)) return true;
    throw ledgerGone(theirs, gid);
  }
}

/** invalid_schema_name and undefined_table. */
const NOT_THERE: ReadonlySet<string> = new Set(['3F000', '42P01']);

function ledgerGone(schema: string, gid: string): EtlError {
  return new EtlError(
    'ETL_USAGE',
    `A run that died left the prepared transaction ${gid} on the table, and whether to commit it is written in the ledger ${readable(schema)}, which is not there.`,
    `If that has another name now, run a job with it once; if it was dropped, its files are loaded again anyway: rollback prepared ${literal(gid)}.`,
  );
}

/** insufficient_privilege, to read the ledger or to end a transaction of another role. */
function mayNotEnd(error: unknown, gid: string): unknown {
  const { sentence, facts } = errorRecordOf(error);
  if (facts.sqlState !== '42501') return error;
  return new EtlError(
    'ETL_PRIVILEGE',
    `A run that died left the prepared transaction ${gid} on the table, and this role may not end it: ${sentence}`,
    'Let the role that started that run, or a superuser, run the job once.',
    facts,
    { cause: error },
  );
}
