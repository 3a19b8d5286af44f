/**
 * Faults inside the database at a moment that a test chooses. A row whose text is `gate` waits
 * while the test holds the gate's lock; the n-th row whose text is `bomb` ends its own backend, once.
 *
 * In a column of the domain `fault_staged` they strike during COPY into staging; under a CHECK of
 * the table on `fault('merge', …)` during the merge. Neither couples rows, so the planner is free.
 */
export const FAULTS = `
  create sequence stage_bombs minvalue 0;
  create sequence merge_bombs minvalue 0;
  create table bombs (kind text primary key, strike bigint);
  create function fault(kind text, value text) returns boolean language plpgsql as $$
  begin
    if value = kind || ' gate' then
      perform pg_advisory_xact_lock_shared(case kind when 'stage' then 1 else 2 end);
    elsif value = kind || ' bomb' then
      if nextval((kind || '_bombs')::regclass) = (select strike from bombs b where b.kind = fault.kind) then
        perform pg_terminate_backend(pg_backend_pid());
        perform pg_sleep(10);
      end if;
    end if;
    return true;
  end $$;
  create domain fault_staged as text check (fault('stage', value));`;

/** Lets the n-th bomb of the kind (from 0) strike, and starts to count anew. */
export function armSql(kind: 'stage' | 'merge', strike: number): string {
  return `insert into bombs values ('${kind}', ${strike})
            on conflict (kind) do update set strike = excluded.strike;
          alter sequence ${kind}_bombs restart with 0`;
}

/** Held by a session of the test: rows that say `gate` wait. */
export function closeGateSql(kind: 'stage' | 'merge'): string {
  return `select pg_advisory_lock(${kind === 'stage' ? 1 : 2})`;
}

/** How many sessions wait at the gate. */
export function waitingAtGateSql(kind: 'stage' | 'merge'): string {
  return `select count(*)::int as waiting from pg_locks
           where locktype = 'advisory' and not granted and objid = ${kind === 'stage' ? 1 : 2}
             and database = (select oid from pg_database where datname = current_database())`;
}
