import { assert } from '../assert.ts';
import type { Connection } from '../target/connect.ts';
import { literal } from '../target/names.ts';

/**
 * One of the transactions of a load that commit together: it stays open once its work is done. prepare,
 * where the server allows it, makes its commit certain before the first of them commits.
 */
export interface HeldTransaction {
  begin(): Promise<Connection>;
  /** Its COMMIT must not be refused when that of another has gone through. */
  checkNow(): Promise<void>;
  prepare(): Promise<void>;
  commit(): Promise<void>;
  /** Rolls back what is neither prepared nor committed. */
  close(): Promise<void>;
}

/** @param prepareAs name of the prepared transaction; null where the server allows none */
export function holdTransaction(
  acquire: () => Promise<Connection>,
  prepareAs: string | null,
): HeldTransaction {
  let connection: Connection | null = null;
  let open = false;
  const own = (): Connection => {
    assert(connection !== null, 'a transaction that is held has begun');
    return connection;
  };
  return {
    begin: async () => {
      connection = await acquire();
      await connection.query('begin');
      open = true;
      return connection;
    },
    checkNow: async () => {
      await own().query('set constraints all immediate');
    },
    prepare: async () => {
      assert(prepareAs !== null, 'a transaction that is prepared has a name');
      await own().query(`prepare transaction ${literal(prepareAs)}`);
      open = false;
    },
    commit: async () => {
      await own().query(prepareAs === null ? 'commit' : `commit prepared ${literal(prepareAs)}`);
      open = false;
    },
    close: async () => {
      if (open && connection?.usable() === true) {
        await connection.query('rollback').catch(() => connection?.destroy());
      }
    },
  };
}
