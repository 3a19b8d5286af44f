import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { cancellable, waitForBackends } from '../../src/target/backends.ts';
import { connect, type Connection } from '../../src/target/connect.ts';
import { sentDuring } from '../support/sent-statements.ts';
import { useScene } from '../support/scene.ts';

/** Statements that heed a signal, and sessions that are waited for. */
const scene = useScene(() => 'select 1');

function optionsOf(applicationName: string) {
  return { databaseUrl: scene.db.url, applicationName, connectTimeoutMs: 10_000, session: {} };
}

async function working(
  work: (heeding: Connection, abort: AbortController) => Promise<unknown>,
): Promise<{ readonly error: unknown; readonly after: unknown }> {
  const options = optionsOf('heeds');
  const connection = await connect(options);
  const abort = new AbortController();
  try {
    const error: unknown = await cancellable(connection, options, abort.signal, (heeding) =>
      work(heeding, abort),
    ).then(
      () => null,
      (reason: unknown) => reason,
    );
    return { error, after: await connection.query('select 3 as three') };
  } finally {
    await connection.end();
  }
}

test('the statement that goes on is cancelled, and its session goes on', async () => {
  const { error, after } = await working(async (heeding, abort) => {
    const slow = heeding.query('select pg_sleep(60)');
    const active = `select from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'`;
    await expect.poll(() => scene.db.query(active), { timeout: 10_000 }).toHaveLength(1);
    abort.abort();
    await slow;
  });
  expect(error).toMatchObject({ record: { facts: { sqlState: '57014' } } });
  expect(after).toEqual([{ three: 3 }]);
});

test('none is begun once the signal has come', async () => {
  const { ended, statements } = await sentDuring(() =>
    working(async (heeding, abort) => {
      await heeding.query('select 1 as one');
      abort.abort();
      await heeding.query('select 2 as two');
    }),
  );
  expect(ended.error).toMatchObject({ name: 'AbortError' });
  expect(statements).toContain('select 1 as one');
  expect(statements).not.toContain('select 2 as two');
});

test('sessions of a name are waited for, but not our own', async () => {
  const [own, other] = [await connect(optionsOf('waits')), await connect(optionsOf('waits'))];
  let looks = 0;
  await waitForBackends(own, 'waits', async (ms) => {
    looks += 1;
    if (looks === 1) await other.end();
    await sleep(ms);
  });
  expect(looks).toBeGreaterThanOrEqual(1);
  const names = `select from pg_stat_activity where application_name = 'waits'`;
  expect(await own.query(names)).toHaveLength(1);
  await own.end();
});
