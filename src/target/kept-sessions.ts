import { errorRecordOf } from '../errors.ts';
import { applySession, type SessionValues } from './apply-session.ts';
import { connect, type Connection, type ConnectOptions } from './connect.ts';
import { quoted } from './names.ts';

/**
 * Sessions that are lent, given back and lent again: a session costs the server a process, and both
 * sides 5 ms of CPU, of the 15 that an upsert of 100 rows takes without.
 */
export interface KeptSessions {
  /**
   * A session as `connect` gives it, but for one that was used before where one is free. Its `end`
   * gives it back; then nothing may be open in it, and its advisory locks are let go.
   */
  readonly lend: (options: ConnectOptions) => Promise<Connection>;
  /** Ends those that are free: after a failure nobody knows what they are like. */
  endIdle(): Promise<void>;
  /**
   * Makes room for so many sessions that somebody else opens, by ending some that are free; until what it
   * resolves to is called.
   */
  reserve(count: number): Promise<() => void>;
  /** The same, and ends the others once they are given back. */
  close(): Promise<void>;
}

interface Kept {
  readonly connection: Connection;
  session: SessionValues;
}

/** The name of a session that nobody has borrowed: nobody looks for it by the name of its last run. */
const IDLE_NAME = 'etl idle';

/**
 * @param sessionsMax those that are open together, reserved ones included. Who borrows and reserves no more
 *   than that is never kept waiting, and never opens more: what is free goes first.
 */
export function createKeptSessions(sessionsMax = Infinity): KeptSessions {
  const idle: Kept[] = [];
  /** Those that are lent; and sessions that are being opened, or that others have reserved. */
  const out = new Set<Kept>();
  let others = 0;
  let closed = false;

  /** How many more there are than there may be, once those that were cut are forgotten. */
  const excess = (): number => {
    for (const kept of out) if (!kept.connection.usable()) out.delete(kept);
    return idle.length + out.size + others - sessionsMax;
  };

  const makeRoom = async (): Promise<void> => {
    const ended = idle.splice(0, Math.max(0, excess()));
    await Promise.all(ended.map(({ connection }) => connection.end()));
  };

  const giveBack = async (kept: Kept): Promise<void> => {
    const { connection } = kept;
    const keeps = !closed && connection.usable() && excess() <= 0 && (await released(connection));
    out.delete(kept);
    if (keeps) idle.push(kept);
    else if (connection.usable()) await connection.end();
  };

  const lentOf = (kept: Kept): Connection => {
    out.add(kept);
    return lent(kept, giveBack);
  };

  const endIdle = async (): Promise<void> => {
    await Promise.all(idle.splice(0).map(({ connection }) => connection.end()));
  };

  return {
    lend: async (options) => {
      others += 1;
      try {
        for (let kept = takeFrom(idle, options); kept !== null; kept = takeFrom(idle, options)) {
          if (await renew(kept, options)) return lentOf(kept);
        }
        await makeRoom();
        const connection = await connect(options);
        return lentOf({ connection, session: options.session });
      } finally {
        others -= 1;
      }
    },
    endIdle,
    reserve: async (count) => {
      others += count;
      await makeRoom();
      let held = true;
      return () => {
        if (held) others -= count;
        held = false;
      };
    },
    close: () => {
      closed = true;
      return endIdle();
    },
  };
}

/** False where it cannot be: whatever it still holds, goes with the connection. */
function released(connection: Connection): Promise<boolean> {
  const release = `select pg_advisory_unlock_all(), set_config('application_name', $1, false)`;
  return connection.query(release, [IDLE_NAME]).then(
    () => true,
    () => false,
  );
}

/** Who plans, who coordinates and who loads want sessions of their own settings. */
const IDLE_SESSIONS_MAX = 3;

/** One with the same settings; where there are many others, one of these. */
function takeFrom(idle: Kept[], { session }: ConnectOptions): Kept | null {
  const same = idle.findLastIndex((kept) => isSame(kept.session, session));
  const place = same === -1 && idle.length >= IDLE_SESSIONS_MAX ? 0 : same;
  return place === -1 ? null : (idle.splice(place, 1)[0] ?? null);
}

function isSame(one: SessionValues, other: SessionValues): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** False where the session was lost since; what the server refuses of its settings is thrown. */
async function renew(kept: Kept, { session, applicationName }: ConnectOptions): Promise<boolean> {
  const { connection } = kept;
  if (!connection.usable()) return false;
  try {
    if (!isSame(kept.session, session)) {
      const gone = Object.keys(kept.session).filter((name) => !(name in session));
      for (const name of gone) await connection.query(`reset ${parameter(name)}`);
      await applySession(connection, session);
      kept.session = session;
      connection.told.clear();
    }
    await connection.query(`select set_config('application_name', $1, false)`, [applicationName]);
    return true;
  } catch (error) {
    connection.destroy();
    // It may have been ended while nobody listened, which the first statement hears.
    if (errorRecordOf(error).code === 'ETL_CONNECTION') return false;
    throw error;
  }
}

function parameter(name: string): string {
  return name.split('.').map(quoted).join('.');
}

/** A signal of the loan's own: who borrows adds listeners to it, and forgets them. */
function lent(kept: Kept, giveBack: (kept: Kept) => Promise<void>): Connection {
  const { connection } = kept;
  const lost = new AbortController();
  const onLost = (): void => lost.abort();
  connection.lost.addEventListener('abort', onLost, { once: true });
  if (connection.lost.aborted) onLost();
  let back: Promise<void> | null = null;
  return {
    ...connection,
    lost: lost.signal,
    end: () => {
      connection.lost.removeEventListener('abort', onLost);
      return (back ??= giveBack(kept));
    },
  };
}
