import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { Reply, Request } from '../../src/pool/messages.ts';
import { serveSession } from '../../src/pool/serve-session.ts';
import { connect, type Connection } from '../../src/target/connect.ts';
import { createTestDatabase, expectNoLeaks } from '../support/database.ts';

/**
 * A unit may be stopped while its worker is still connecting: an earlier file failed meanwhile. The
 * session must not end before what it has begun, or the worker would go on with it behind the back
 * of the next session, on the same connection.
 */
test('a session that is closed while it connects ends after that, and does no work', async () => {
  const db = await createTestDatabase();
  const { port1, port2 } = new MessageChannel();
  const replies: Reply[] = [];
  port1.on('message', (reply: Reply) => replies.push(reply));
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const held: Connection[] = [];
  let ended = false;
  // Any order will do: nothing of it may be looked at.
  const order = { kind: 'owner', task: {} } as unknown as Parameters<typeof serveSession>[0];
  const session = serveSession(order, port2, async () => {
    await arrived;
    const connection = await connect({
      databaseUrl: db.url,
      applicationName: 'late',
      connectTimeoutMs: 10_000,
      session: {},
    });
    held.push(connection);
    return { connection, fresh: true };
  }).then(() => (ended = true));
  const requests: Request[] = [
    { kind: 'call', id: 1, method: 'merge' },
    { kind: 'abort' },
    { kind: 'call', id: 2, method: 'close' },
  ];
  for (const request of requests) port1.postMessage(request);

  // A message to ourselves comes after those that the session could have sent by now.
  await new Promise<void>((resolve) => {
    const { port1: a, port2: b } = new MessageChannel();
    b.on('message', () => {
      a.close();
      resolve();
    });
    a.postMessage('now');
  });
  expect({ ended, replies }).toEqual({ ended: false, replies: [] });

  arrive();
  await session;
  const kinds = () => replies.map((reply) => reply.kind);
  await expect.poll(kinds).toEqual(['connected', 'failure', 'answer']);
  expect(replies[1]).toMatchObject({ id: 1, error: { code: 'ETL_ABORTED' } });
  port1.close();
  for (const connection of held) await connection.end();
  await expectNoLeaks(db.url);
  await db.drop();
});
