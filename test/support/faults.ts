import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDatabase } from './database.ts';

/**
 * Faults inside the database at a moment that a test chooses. A row whose text is `gate` waits
 * while the test holds the gate's lock; the n-th row whose text is `bomb` ends its own backend, once.
 *
 * In a column of the domain `fault_staged` they strike during COPY into staging; under a CHECK of
 * the table on `fault('merge', …)` during the merge. Neither couples rows, so the planner is free. A
 * deferred constraint trigger that calls `fault_at_commit` waits inside COMMIT.
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
  create function fault_at_commit() returns trigger language plpgsql as $$
  begin
    perform pg_advisory_xact_lock_shared(3);
    return null;
  end $$;
  create domain fault_staged as text check (fault('stage', value));`;

/** Lets the n-th bomb of the kind (from 0) strike, and starts to count anew. */
export function armSql(kind: 'stage' | 'merge', strike: number): string {
  return `insert into bombs values ('${kind}', ${strike})
            on conflict (kind) do update set strike = excluded.strike;
          alter sequence ${kind}_bombs restart with 0`;
}

/** Held by a session of the test: rows that say `gate` wait. */
export function closeGateSql(gate: Gate): string {
  return `select pg_advisory_lock(${GATES[gate]})`;
}

export type Gate = keyof typeof GATES;
const GATES = { stage: 1, merge: 2, commit: 3 } as const;

/** Until a session waits at the gate. */
export async function untilWaiting(db: Pick<TestDatabase, 'query'>, gate: Gate): Promise<void> {
  const sql = `select from pg_locks
                where locktype = 'advisory' and not granted and objid = ${GATES[gate]}
                  and database = (select oid from pg_database where datname = current_database())`;
  for (let look = 0; look < LOOKS_MAX; look++) {
    if ((await db.query(sql)).length > 0) return;
    await sleep(LOOK_MS);
  }
  const sessions = await db.query(
    `select application_name, state, wait_event, query, now() - state_change as since
       from pg_stat_activity where datname = current_database()`,
  );
  throw new Error(`nothing waits at the gate of ${gate}: ${JSON.stringify(sessions, null, 1)}`);
}

const LOOKS_MAX = 1000;
const LOOK_MS = 20;
