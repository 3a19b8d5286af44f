const URL_PARTS =
  /^postgres(?:ql)?:\/\/(?:([^:@/?]*)(?::([^@/?]*))?@)?(\[[^\]]*\]|[^:/?]*)(?::(\d+))?(?:\/([^?]*))?(?:\?(.*))?$/;

/** Parameters that a URL may carry, by the environment variable that means the same. */
const VARIABLES: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
};

/**
 * A postgres:// URL as the variables that libpq, psycopg2, pgloader and pg all read. What the URL
 * leaves open is left open. A command line would show the password to everyone on the machine.
 */
export function libpqEnvironment(databaseUrl: string): Record<string, string> {
  // Not `new URL`: it refuses the empty host that stands for a unix socket.
  const [, user, password, host, port, database, query] = URL_PARTS.exec(databaseUrl) ?? [];
  const given: [string, string | undefined][] = [
    ['PGUSER', user],
    ['PGPASSWORD', password],
    ['PGHOST', host?.replace(/^\[(.*)\]$/, '$1')],
    ['PGPORT', port],
    ['PGDATABASE', database],
  ];
  const variables = given.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, decodeURIComponent(value)] as const],
  );
  const parameters = [...new URLSearchParams(query ?? '')].flatMap(([name, value]) => {
    const variable = VARIABLES[name];
    return variable === undefined ? [] : [[variable, value] as const];
  });
  return Object.fromEntries([...variables, ...parameters]);
}
