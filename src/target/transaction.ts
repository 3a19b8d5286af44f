import type { Connection } from './connect.ts';

/** Runs the work in a transaction; whatever it throws rolls everything back. */
export async function inTransaction<T>(
  connection: Connection,
  work: () => Promise<T>,
  begin: 'begin' | 'begin read write' = 'begin',
): Promise<T> {
  await connection.query(begin);
  return ended(connection, async () => {
    const result = await work();
    await connection.query('commit');
    return result;
  });
}

/**
 * The same with fewer round trips, for work that asks nothing but `open`, whose first statement takes
 * BEGIN along. What the work has given to `sent` is answered together with COMMIT, which goes right
 * behind it: where it fails, the server has given the transaction up, and its COMMIT rolls back. So
 * its statements must have been asked for when it is given.
 */
export async function inJoinedTransaction<T>(
  connection: Connection,
  work: (open: Connection, sent: (answer: Promise<unknown>) => void) => Promise<T>,
): Promise<T> {
  const answers: Promise<unknown>[] = [];
  const open = beginning(connection);
  return ended(connection, async () => {
    const result = await work(open, (answer) => {
      // It is heard below, and nobody hears of it where the work fails meanwhile.
      answer.catch(() => undefined);
      answers.push(answer);
    });
    const ends = await Promise.allSettled([...answers, open.query('commit')]);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return result;
  });
}

async function ended<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Where the connection is lost there is nothing to roll back: the server has done it.
    if (connection.usable()) await connection.query('rollback').catch(() => undefined);
    throw error;
  }
}

/**
 * BEGIN goes with the first statement in one message, where that has no parameters: so that it costs
 * no round trip, and the statement does not take place where BEGIN is cancelled. Statements are sent in
 * the order in which they are asked for.
 */
function beginning(connection: Connection): Connection {
  let begun: Promise<unknown> | null = null;
  const asOpened = async <T>(
    sql: string,
    joins: boolean,
    send: (sql: string) => Promise<T>,
  ): Promise<T> => {
    if (begun === null && joins) {
      const answer = send(`begin;\n${sql}`);
      begun = answer;
      return answer;
    }
    await (begun ??= connection.query('begin'));
    return send(sql);
  };
  return {
    ...connection,
    query: (sql, params) =>
      asOpened(sql, params === undefined, (text) => connection.query(text, params)),
    execute: (sql, params) =>
      asOpened(sql, params === undefined, (text) => connection.execute(text, params)),
    describe: (sql) => asOpened(sql, false, (text) => connection.describe(text)),
    copyIn: (sql, chunks, how) =>
      asOpened(sql, false, (text) => connection.copyIn(text, chunks, how)),
    copyOut: (sql, take) => asOpened(sql, false, (text) => connection.copyOut(text, take)),
  };
}
