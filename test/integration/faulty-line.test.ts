import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { tableDigest } from '../../tools/oracle.ts';
import { connect } from '../../src/target/connect.ts';
import { expectTold, type EtlEnd } from '../support/etl.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';
import { openTcpProxy, type ProxyOptions, type TcpProxy } from '../support/tcp-proxy.ts';

/** The line between etl and the server: slow, chopped up, cut, or silent without an end. */
const scene = useScene(
  (table) =>
    `create table ${table} (id int primary key, name text check (fault('merge', name)), n int)`,
  FAULTS,
);
const FILES = overlappingFiles(3, 20, 10);

async function through(
  options: ProxyOptions,
  words: readonly string[],
  during: (proxy: TcpProxy) => Promise<void> = () => Promise.resolve(),
): Promise<EtlEnd> {
  const kill = (pid: number): Promise<unknown> =>
    scene.db.query('select pg_terminate_backend($1)', [pid]);
  const proxy = await openTcpProxy(scene.db.url, { kill, ...options });
  try {
    const [end] = await Promise.all([scene.run(words, { url: proxy.url }), during(proxy)]);
    return end;
  } finally {
    await proxy.close();
  }
}

/** The table that a line without faults leaves. */
async function expectSameAsWithout(words: readonly string[]): Promise<void> {
  const { db, table } = scene;
  await db.query(`create table ${table}_oracle (like ${table} including all)`);
  const end = await scene.run([...words, '--table', `${table}_oracle`]);
  expect(end.code).toBe(0);
  expect(await db.query(tableDigest(table))).toEqual(
    await db.query(tableDigest(`${table}_oracle`)),
  );
}

test.for([
  ['every byte is a packet of its own', { singleBytes: true }],
  ['every answer comes 2 ms late', { delayMs: 2 }],
] as const)('%s', async ([, options]) => {
  await scene.write(csvFiles(FILES));
  const words = ['f*.csv', '--concurrency', '2'];
  const end = await through(options, words);
  expect([end.code, end.error]).toEqual([0, null]);
  await expectSameAsWithout(words);
});

test('all lines are reset while a file is merged, and none can be made for a moment', async () => {
  await scene.write(csvFiles(FILES));
  const gate = await scene.db.client();
  await gate.query(closeGateSql('merge'));
  await scene.write({ 'f1.csv': 'id,name,n\n4,merge gate,1\n' });
  const words = ['f*.csv', '--concurrency', '2'];
  const end = await through({}, words, async (proxy) => {
    await untilWaiting(scene.db, 'merge');
    proxy.refuse();
    await gate.end();
    proxy.accept();
  });
  expectTold(end, 'ETL_CONNECTION', 2);
  expect((await scene.run(words)).code).toBe(0);
  await expectSameAsWithout(words);
});

test.for(['full-parallel', 'partitioned'] as const)(
  'a line that falls silent while it owes an answer is given up, and its work done again (%s)',
  async (strategy) => {
    await scene.write(csvFiles(FILES));
    let merges = 0;
    const words = ['f*.csv', '--strategy', strategy, '--concurrency', '2'];
    const fateOf = (statement: string): 'silence-after' | 'pass' =>
      /insert into "public"/.test(statement) && ++merges === 1 ? 'silence-after' : 'pass';
    const end = await through({ fateOf }, [...words, '--idle-timeout-ms', '150']);
    expect([end.code, end.error]).toEqual([0, null]);
    expect(merges).toBeGreaterThan(1);
    // The backend of the silent line would hold the rows that it merged, and its connection.
    const left = await scene.db.query(
      `select from pg_stat_activity where application_name like 'etl 2%'
                                      and datname = current_database()`,
    );
    expect(left).toEqual([]);
    await expectSameAsWithout(words);
  },
);

test('a line that falls silent within COPY is given up, too', async () => {
  await scene.write(csvFiles(FILES));
  let copies = 0;
  const fateOf = (statement: string): 'silence-before' | 'pass' =>
    statement === 'copy done' && ++copies === 1 ? 'silence-before' : 'pass';
  const words = ['f*.csv', '--concurrency', '2'];
  const end = await through({ fateOf }, [...words, '--idle-timeout-ms', '150']);
  expect([end.code, end.error]).toEqual([0, null]);
  await expectSameAsWithout(words);
});

test('a merge that is silent because it works is not disturbed', async () => {
  await scene.write({ 'a.csv': 'id,name,n\n1,merge gate,1\n' });
  const gate = await scene.db.client();
  await gate.query(closeGateSql('merge'));
  const looks = async (): Promise<void> => {
    await untilWaiting(scene.db, 'merge');
    // Looked at some ten times meanwhile.
    await gate.query('select pg_sleep(0.5)');
    await gate.end();
  };
  const end = await through({}, ['a.csv', '--idle-timeout-ms', '50'], looks);
  expect([end.code, statusesOf(end.report)]).toEqual([0, ['loaded']]);
  expect(filesOf(end.report)[0]?.attempts).toBe(1);
});

test.for(['the handshake', 'the session is set up'])(
  'a line that falls silent before %s is over: a clear error after connectTimeoutMs',
  async (moment) => {
    await scene.write(csvFiles(FILES));
    const early = moment === 'the handshake';
    const words = ['f*.csv', '--connect-timeout-ms', '200'];
    const end = await through(early ? { mute: true } : { fateOf: () => 'silence-before' }, words);
    expectTold(end, 'ETL_CONNECTION', 2);
    expect(end.error?.facts.socket).toBe(early ? 'ECONNRESET' : 'ETIMEDOUT');
  },
);

test('TCP probes a line that is idle, from either end', async () => {
  const proxy = await openTcpProxy(scene.db.url);
  const options = { applicationName: 'keepalive', connectTimeoutMs: 10_000, session: {} };
  const connection = await connect({ ...options, databaseUrl: proxy.url });
  const port = Number(/:(\d+)\//.exec(proxy.url)?.[1])
    .toString(16)
    .toUpperCase()
    .padStart(4, '0');
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n');
  const own = lines.find((line) => new RegExp(`0100007F:${port} 01 `).test(line));
  // Fields of the table: timer 02 is keepalive, with the hundredths of a second until it ends.
  const [, timer = '', ends = ''] = / (\d\d):([0-9A-F]{8}) /.exec(own ?? '') ?? [];
  expect(timer).toBe('02');
  expect(Number.parseInt(ends, 16)).toBeLessThanOrEqual(30 * 100);
  const session = await connection.query(
    `select name, setting from pg_settings where name like 'client_connection_check%'`,
  );
  expect(session).toEqual([{ name: 'client_connection_check_interval', setting: '1000' }]);
  await connection.end();
  await proxy.close();
});
