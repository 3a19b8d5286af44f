import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { planJob, runPlan } from '../support/load.ts';
import { useScene } from '../support/scene.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

/** A line that ends with the very answer by which the server refuses a row. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

/** What a backend says that an administrator ends. */
const TERMINATED = errorMessage({
  S: 'FATAL',
  V: 'FATAL',
  C: '57P01',
  M: 'terminating connection',
});

function errorMessage(fields: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(fields).map(([kind, value]) => `${kind}${value}\0`);
  const body = Buffer.from(`${text.join('')}\0`);
  const head = Buffer.from('E....');
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

/** Without what says at the end that the server waits for the next statement. */
function withoutReady(bytes: Buffer): Buffer {
  const ready = bytes.length - 6;
  return bytes[ready] === 'Z'.charCodeAt(0) ? bytes.subarray(0, ready) : bytes;
}

/** Passes all on, and closes the first line behind the first answer with this SQLSTATE. */
async function closingBehind(sqlState: string, url: string) {
  const behind = await openTcpProxy(url);
  const { port } = new URL(behind.url);
  const lost = { times: 0 };
  const server = createServer((client) => {
    const line = connect(Number(port), '127.0.0.1');
    client.pipe(line);
    line.on('data', (bytes) => {
      const closes = lost.times === 0 && bytes.includes(`C${sqlState}\0`);
      if (closes) lost.times += 1;
      if (closes) client.end(Buffer.concat([withoutReady(bytes), TERMINATED]));
      else if (client.writable) client.write(bytes);
    });
    line.on('end', () => client.end()).on('error', () => client.destroy());
    client.on('error', () => line.destroy()).on('close', () => line.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const own = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: behind.url.replace(`:${port}/`, `:${own}/`),
    lost,
    close: async () => {
      await behind.close();
      server.close();
      await once(server, 'close');
    },
  };
}

test.each(['quarantine', 'stop'] as const)(
  'the file is tried again, and no row is blamed for the line (onError %s)',
  async (onError) => {
    await scene.write({ 'f.csv': 'id,name\n1,one\n2\n3,three\n' });
    const load = { table: scene.table, files: ['f.csv'], key: ['id'] };
    const job = { settings: { onError, concurrency: 1 }, loads: [load] };
    const plan = await planJob(scene.db.url, job, { cwd: scene.folder });
    // Staged, where the COPY itself says which row it refuses.
    const staged = { ...plan, loads: plan.loads.map((one) => ({ ...one, fillBeforeKey: false })) };
    const proxy = await closingBehind('22P04', scene.db.url);
    const report = await runPlan(proxy.url, staged, {});
    await proxy.close();
    expect(proxy.lost.times).toBe(1);
    const [file] = report.loads[0]?.files ?? [];
    expect(file?.attempts).toBe(2);
    if (onError === 'quarantine') {
      expect([report.status, report.error]).toEqual(['rejected-rows', null]);
      expect(await scene.db.query(`select id from ${scene.table} order by id`)).toEqual([
        { id: 1 },
        { id: 3 },
      ]);
    } else {
      expect(report.error).toMatchObject({ code: 'ETL_CSV_MALFORMED', facts: { line: 3 } });
    }
  },
);
