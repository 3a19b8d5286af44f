import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ErrorRecord } from '../../src/errors.ts';
import { useScene } from '../support/scene.ts';
import { TOKEN, withService, type ServeOptions, type ServiceClient } from '../support/service.ts';

/** Clients that mean harm, or err badly. Each is answered in the engine's form, and none is loaded. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const serve = <T>(
  use: (client: ServiceClient) => Promise<T>,
  options: ServeOptions = {},
): Promise<T> => withService(scene, { rows: { table: scene.table } }, use, options);

const CSV = { 'content-type': 'text/csv' };
const JSON_TYPE = { 'content-type': 'application/json' };

async function expectTold(answer: Response, status: number): Promise<ErrorRecord> {
  const told = (await answer.json()) as ErrorRecord;
  expect([answer.status, Object.keys(told).slice(0, 4)]).toEqual([
    ...[status, ['code', 'sentence', 'remedy', 'facts']],
  ]);
  expect(told.remedy).not.toBe('');
  expect(JSON.stringify(told)).not.toContain(scene.folder);
  return told;
}

const spooled = (): Promise<string[]> => readdir(join(scene.folder, 'spool/files'));

async function expectNothing(): Promise<void> {
  expect(await spooled()).toEqual([]);
  expect(await scene.db.query(`select from ${scene.table}`)).toEqual([]);
}

/** What is sent as it is; resolves to all that comes back, once the connection is closed. */
async function raw(client: ServiceClient, ...texts: string[]): Promise<string> {
  const { hostname, port } = new URL(client.url);
  const socket = connect(Number(port), hostname);
  let said = '';
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
  socket.on('error', () => undefined);
  for (const text of texts) {
    socket.write(text);
    await sleep(10);
  }
  await closed;
  return said;
}

describe('without the token', () => {
  test('nothing is told, not even which jobs there are', async () => {
    await serve(async (client) => {
      const tokens = [
        '',
        'Bearer',
        `Bearer ${TOKEN}x`,
        `Bearer ${TOKEN.slice(1)}`,
        `Basic ${TOKEN}`,
      ];
      for (const authorization of tokens) {
        for (const path of ['/jobs', '/jobs/rows/rows', '/jobs/none/rows', '/runs/1', '/nothing']) {
          const method = path.endsWith('/rows') ? 'POST' : 'GET';
          const body = method === 'POST' ? { body: '[{"id":1}]' } : {};
          const answer = await fetch(client.url + path, {
            method,
            ...body,
            headers: { authorization },
          });
          await expectTold(answer, 401);
          expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        }
      }
      const query = `/jobs?token=${TOKEN}`;
      await expectTold(await fetch(client.url + query), 401);
    });
    await expectNothing();
  });
});

describe('addresses and names', () => {
  test('that are none are refused', async () => {
    await serve(async (client) => {
      const posts: readonly (readonly [string, number])[] = [
        ['/jobs/none/rows', 404],
        ['/jobs/__proto__/rows', 404],
        ['/jobs/constructor/rows', 404],
        ['/jobs/%2e%2e%2fetc/rows', 404],
        [`/jobs/${'x'.repeat(5_000)}/rows`, 414],
        ['/jobs/rows/rows?wiat=1', 400],
        ['/jobs/rows/rows?wait=-1', 400],
        ['/jobs/rows/rows?wait=1&wait=2', 400],
        ['/jobs/rows/rows?__proto__=1', 400],
        ['/jobs/rows/files?name=x.exe', 415],
        ['/jobs/rows/everything', 404],
      ];
      for (const [path, status] of posts) {
        const answer = await client.post(path, '[{"id":1}]');
        expect([path.slice(0, 40), answer.status]).toEqual([path.slice(0, 40), status]);
        await expectTold(answer, status);
      }
      await expectTold(await client.get('/runs/..%2f..%2fetc%2fpasswd'), 404);
      await expectTold(await client.get('/runs/%zz'), 400);
    });
    await expectNothing();
  });

  test('a path in the name of a file leaves the spool as it is', async () => {
    await serve(async (client) => {
      const name = encodeURIComponent('../../../tmp/evil\u001b[31m.csv');
      const answer = await client.post(`/jobs/rows/files?name=${name}`, 'id,name\n1,a\n', CSV);
      const report = (await answer.json()) as { files: { name: string }[] };
      expect([answer.status, report.files[0]?.name]).toEqual([200, 'evil_[31m.csv']);
    });
    expect(await spooled()).toEqual([]);
    const around = await readdir(scene.folder);
    expect(around.sort()).toEqual(['jobs.json', 'spool']);
  });

  test('keys of the prototype are columns that there are not, or left alone', async () => {
    await serve(async (client) => {
      const body = '[{"id":1,"name":"a","__proto__":{"polluted":true},"constructor":1}]';
      const answer = await client.post('/jobs/rows/rows', body, JSON_TYPE);
      expect([200, 422]).toContain(answer.status);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    });
  });
});

describe('bodies', () => {
  test('that are too large are refused, told or not how large they are', async () => {
    await serve(
      async (client) => {
        const large = `id,name\n${'1,aaaaaaaaaaaaaaaa\n'.repeat(100_000)}`;
        const told = await expectTold(await client.post('/jobs/rows/files', large, CSV), 413);
        expect(told.facts.limit).toBe(100_000);
        const stream = new Blob([large]).stream();
        const chunked = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
        const headers = { ...CSV, authorization: `Bearer ${TOKEN}` };
        await expectTold(
          await fetch(`${client.url}/jobs/rows/files`, { ...chunked, headers }),
          413,
        );
        const form = new FormData();
        form.append('file', new File([large.slice(0, 60_000)], 'a.csv'));
        form.append('file', new File([large.slice(0, 60_000)], 'b.csv'));
        await expectTold(await client.post('/jobs/rows/files', form), 413);
        expect(
          await (await client.post('/jobs/rows/rows', '[{"id":7}]', JSON_TYPE)).json(),
        ).toMatchObject({ state: 'loaded' });
      },
      { bodyBytesMax: 100_000 },
    );
    expect(await spooled()).toEqual([]);
  });

  test('that the spool has no room for come later', async () => {
    await serve(
      async (client) => {
        const answer = await client.post('/jobs/rows/files', `id\n${'1\n'.repeat(1_000)}`, CSV);
        await expectTold(answer, 429);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      },
      { spoolBytesMax: 1_000 },
    );
    await expectNothing();
  });

  test('that are slow, silent or cut off do not hold a place', async () => {
    await serve(
      async (client) => {
        const head =
          `POST /jobs/rows/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n` +
          'content-type: text/csv\r\ncontent-length: 1000\r\n\r\n';
        expect(await raw(client, head, 'id,')).toMatch(/^HTTP\/1.1 408 .*"code":"ETL_LIMIT"/s);
        const drops = Array.from({ length: 60 }, () => '1');
        const slow = raw(client, head, ...drops.flatMap((drop) => [drop, drop, drop]));
        expect(await slow).toMatch(/^HTTP\/1.1 408 /);
        const { hostname, port } = new URL(client.url);
        const socket = connect(Number(port), hostname);
        socket.write(`${head}id,name\n`);
        await sleep(50);
        socket.destroy();
        for (let look = 0; look < 100 && (await spooled()).length > 0; look++) await sleep(20);
        const list = (await (await client.get('/jobs')).json()) as { uploads: number }[];
        expect(list.map(({ uploads }) => uploads)).toEqual([0]);
      },
      { bodyIdleMs: 300, bodyMs: 1_000 },
    );
    await expectNothing();
  });

  test('that are no rows, of a form that is none, or a bomb are the fault of the client', async () => {
    await serve(async (client) => {
      await expectTold(await client.post('/jobs/rows/rows', '', JSON_TYPE), 400);
      await expectTold(await client.post('/jobs/rows/rows', 'id\n1\n', CSV), 415);
      await expectTold(await client.post('/jobs/rows/rows', '[]', JSON_TYPE), 422);
      await expectTold(await client.post('/jobs/rows/rows', '[1, 2]', JSON_TYPE), 422);
      const br = { ...JSON_TYPE, 'content-encoding': 'br' };
      await expectTold(await client.post('/jobs/rows/rows', 'x', br), 415);
      const bound = { 'content-type': 'multipart/form-data; boundary=x' };
      await expectTold(await client.post('/jobs/rows/files', 'no form', bound), 400);
      const cut = '--x\r\ncontent-disposition: form-data; name="f"; filename="a.csv"\r\n\r\nid\n1';
      await expectTold(await client.post('/jobs/rows/files', cut, bound), 400);
      await expectTold(await client.post('/jobs/rows/files', new FormData()), 400);
      const gzip = { ...CSV, 'content-encoding': 'gzip' };
      await expectTold(await client.post('/jobs/rows/files', 'no gzip', gzip), 422);
      const bomb = gzipSync(`id,name\n1,${'a'.repeat(80_000_000)}\n`);
      await expectTold(await client.post('/jobs/rows/files', bomb, gzip), 422);
    });
    await expectNothing();
  });
});

describe('what is no request', () => {
  test('is answered, and its connection closed', async () => {
    await serve(async (client) => {
      expect(await raw(client, 'NOTHING\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"code":"ETL_USAGE"/s);
      const huge = `GET /jobs HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`;
      expect(await raw(client, huge)).toMatch(/^HTTP\/1.1 431 /);
      const smuggled = 'POST /jobs/rows/rows HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n';
      expect(await raw(client, `${smuggled}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`)).toMatch(
        /^HTTP\/1.1 400 /,
      );
    });
    await expectNothing();
  });
});

test('what lies in the spool can be read by its owner alone', async () => {
  await serve(async (client) => {
    await client.rows('rows', [{ id: 1, name: 'a' }]);
  });
  const { statSync } = await import('node:fs');
  const modes = ['spool/files', 'spool/journal.jsonl'].map(
    (path) => statSync(join(scene.folder, path)).mode & 0o077,
  );
  expect(modes).toEqual([0, 0]);
  expect(await readFile(join(scene.folder, 'spool/journal.jsonl'), 'utf8')).not.toContain(TOKEN);
});
