import type { Connection } from './connect.ts';
import { ledgerExists } from './ledger-schema.ts';
import type { LedgerContext } from './ledger.ts';
import { literal, quoted } from './names.ts';
import type { TargetTable } from './table.ts';

/**
 * A crash of the server empties unlogged tables, and leaves the ledger as it is: it would go on to say
 * that their files are loaded. So the ids of its rows about such a table are written to a table of its
 * own that is unlogged, too (`survivor`), in the same transaction: a crash empties both.
 *
 * Whether this role can keep them: in an older ledger, or to a role that only loads, it may be out of
 * reach.
 */
async function keepsSurvivors(connection: Connection, schema: string): Promise<boolean> {
  if (!(await ledgerExists(connection, schema, 'survivor'))) return false;
  const name = literal(`${quoted(schema)}.survivor`);
  const [row] = await connection.query(
    `select has_table_privilege(${name}, 'select') and has_table_privilege(${name}, 'insert') as may`,
  );
  return row?.['may'] === true;
}

/** What the ledger is to be told of a table that is loaded. */
export async function survivorsOf(
  connection: Connection,
  schema: string,
  { unlogged }: Pick<TargetTable, 'unlogged'>,
): Promise<Pick<LedgerContext, 'unlogged'>> {
  const keeps = unlogged === true && (await keepsSurvivors(connection, schema));
  return keeps ? { unlogged: true } : {};
}

/** Paths of files whose latest load into an unlogged table a crash of the server has undone. */
export async function lostPaths(
  connection: Connection,
  schema: string,
  tableOid: number,
  paths: readonly string[],
): Promise<string[]> {
  if (!(await keepsSurvivors(connection, schema))) return [];
  const rows = await connection.query(
    `select path from (select distinct on (path) path, id from ${quoted(schema)}.ledger
                        where table_oid = $1 and path = any ($2::text[]) order by path, id desc) l
      where not exists (select from ${quoted(schema)}.survivor s where s.ledger_id = l.id)`,
    [tableOid, [...paths]],
  );
  return rows.map((row) => String(row['path']));
}
