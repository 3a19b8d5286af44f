/**
 * Parameters of PostgreSQL that a job may not set for its sessions, each with the reason: what they
 * change is a result, the proof of it, or something that a setting of the job's own says already.
 * Every other parameter may be set; the server itself refuses what it does not know.
 */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...same(['timezone'], 'the setting timeZone says it, for it decides what a timestamp means'),
  ...same(['lock_timeout'], 'the setting lockTimeoutMs says it'),
  ...same(['statement_timeout'], 'the setting statementTimeoutMs says it'),
  ...same(
    ['idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout'],
    'a session of a load waits for others, and must not be ended for that',
  ),
  ...same(
    ['datestyle'],
    'it decides what a date like 02/03/2024 means; set it for the role or the database, so that ' +
      'all runs agree',
  ),
  ...same(
    ['intervalstyle', 'array_nulls', 'xmloption', 'lc_monetary', 'transform_null_equals'],
    'it changes what a value of a file means; set it for the role or the database',
  ),
  ...same(['search_path'], 'name the table with its schema instead: --table schema.name'),
  ...same(['client_encoding'], 'the bytes of a file are sent in an encoding that the engine knows'),
  ...same(
    ['standard_conforming_strings', 'backslash_quote', 'exit_on_error'],
    'the statements of the engine rely on it',
  ),
  ...same(
    [
      'default_transaction_isolation',
      'default_transaction_read_only',
      'default_transaction_deferrable',
      'transaction_isolation',
      'transaction_read_only',
      'transaction_deferrable',
    ],
    'the proof that no key is met twice rests on the transactions of the engine',
  ),
  ...same(
    ['session_replication_role'],
    'it turns off triggers and foreign keys, and the table would end otherwise than row by row',
  ),
  ...same(['application_name'], 'a run finds its own sessions by it'),
  ...same(
    ['role', 'session_authorization'],
    'a run could not see its own sessions; connect as that user instead',
  ),
]);

/** Why a parameter may not be set, or null where it may. */
export function refusedParameter(name: string): string | null {
  return REFUSED.get(name) ?? null;
}

function same(names: readonly string[], reason: string): [string, string][] {
  return names.map((name) => [name, reason]);
}
