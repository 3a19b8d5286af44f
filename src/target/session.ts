import type { Settings } from '../job/schema.ts';

/**
 * Settings of the engine's sessions. The time zone decides what a timestamp without a zone means,
 * so it is fixed for all workers. The order of day and month (DateStyle) stays as the database or
 * the role has it, as people expect of their own server; only the output style is set.
 */
export function sessionSettings(settings: Settings): Readonly<Record<string, string>> {
  return {
    timezone: settings.timeZone,
    intervalstyle: 'postgres',
    lock_timeout: String(settings.lockTimeoutMs),
    statement_timeout: String(settings.statementTimeoutMs),
    idle_in_transaction_session_timeout: '0',
    // Compiling a merge costs more than it saves: the time goes into the heap and the index.
    jit: 'off',
    work_mem: '64MB',
  };
}
