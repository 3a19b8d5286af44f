/** A backend, told from a later one with the same process id. */
export interface Backend {
  readonly pid: number;
  /** `backend_start`, as the server spells it. */
  readonly since: string;
}

/** The part of a client that is needed here. */
interface Asked {
  query(sql: string, params?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** And the role that it acts as. */
export interface OwnBackend extends Backend {
  readonly role: string;
}

/** Of the session that asks. */
export const OWN_BACKEND = `select pid, backend_start::text as since, current_user as role
  from pg_catalog.pg_stat_activity where pid = pg_backend_pid()`;

/**
 * Whether the backend works, and does not wait for its client to send or to take something. Where
 * the server does not keep track of it (track_activities), it is believed to.
 */
export async function backendWorks(client: Asked, { pid, since }: Backend): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_catalog.pg_stat_activity
      where pid = $1 and backend_start = $2::timestamptz
        and (state = 'disabled' or state = 'active' and wait_event_type is distinct from 'Client')`,
    [pid, since],
  );
  return rows.length > 0;
}

/** Ends it, so that it holds no locks until the server's own TCP finds out; it may be gone. */
export async function endBackend(client: Asked, { pid, since }: Backend): Promise<void> {
  await client.query(
    `select pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
      where pid = $1 and backend_start = $2::timestamptz`,
    [pid, since],
  );
}
