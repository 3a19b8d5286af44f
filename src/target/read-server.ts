import type { Connection } from './connect.ts';
import type { ServerInfo } from './table.ts';

/**
 * Only of what every role may see: an ordinary one may not ask for the folder of the socket (its row
 * of pg_settings is hidden then), nor what kind the backends of others are.
 */
const READ_SERVER = `
select current_setting('server_version_num')::int as version_number,
       current_setting('server_version') as version,
       current_database() as database,
       current_user as "user",
       coalesce(host(inet_server_addr()) || ':' || inet_server_port(),
                concat('socket ',
                       (select setting || ' ' from pg_settings
                         where name = 'unix_socket_directories'),
                       'port ', current_setting('port'))) as address,
       pg_encoding_to_char(d.encoding) as encoding,
       current_setting('max_connections')::int as max_connections,
       (select sum(numbackends) from pg_stat_database)::int as used,
       current_setting('max_prepared_transactions')::int as max_prepared_transactions,
       pg_is_in_recovery() as in_recovery
  from pg_database d
 where d.datname = current_database()`;

export async function readServer(connection: Connection): Promise<ServerInfo> {
  const [row] = await connection.query(READ_SERVER);
  return {
    versionNumber: Number(row?.['version_number']),
    version: String(row?.['version']),
    database: String(row?.['database']),
    user: String(row?.['user']),
    address: String(row?.['address']),
    encoding: String(row?.['encoding']),
    maxConnections: Number(row?.['max_connections']),
    connectionsUsed: Number(row?.['used']),
    maxPreparedTransactions: Number(row?.['max_prepared_transactions']),
    inRecovery: row?.['in_recovery'] === true,
  };
}
