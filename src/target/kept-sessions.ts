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
  /** The same, and ends the others once they are given back. */
  close(): Promise<void>;
}

interface Kept {
  readonly connection: Connection;
  session: SessionValues;
}

/** The name of a session that nobody has borrowed: nobody looks for it by the name of its last run. */
const IDLE_NAME = 'etl idle';

export function createKeptSessions(): KeptSessions {
  const idle: Kept[] = [];
  let closed = false;

  const giveBack = async (kept: Kept): Promise<void> => {
    const { connection } = kept;
    if (!connection.usable()) return;
    try {
      if (!closed) {
        const release = `select pg_advisory_unlock_all(), set_config('application_name', $1, false)`;
        await connection.query(release, [IDLE_NAME]);
        idle.push(kept);
        return;
      }
    } catch {
      // Whatever it is, it goes with the connection.
    }
    await connection.end();
  };

  const endIdle = async (): Promise<void> => {
    await Promise.all(idle.splice(0).map(({ connection }) => connection.end()));
  };

  return {
    lend: async (options) => {
      for (let kept = takeFrom(idle, options); kept !== null; kept = takeFrom(idle, options)) {
        if (await renew(kept, options)) return lent(kept, giveBack);
      }
      const connection = await connect(options);
      return lent({ connection, session: options.session }, giveBack);
    },
    endIdle,
    close: () => {
      closed = true;
      return endIdle();
    },
  };
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
