import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createTestDatabase, expectNoLeaks } from '../support/database.ts';

/** What docs/serve.md tells people to type, typed, in their order. */
const root = new URL('../../', import.meta.url).pathname;
const page = await readFile(join(root, 'docs/serve.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(/```(\w+)\n([^]*?)\n```/g)].flatMap(([, name, text = '']) =>
    name === language ? [text] : [],
  );

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('the commands of docs/serve.md do what it says', async () => {
  const db = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'etl-docs-'));
  const port = await freePort();
  const npx = `#!/bin/sh\n[ "$1" = etl ] || exit 9\nshift\nexec node '${root}dist/src/cli/main.js' "$@"\n`;
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/npx'), npx, { mode: 0o755 });
  await chmod(folder, 0o755);
  const env = {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(?:PG|ETL_)/.test(name)),
    ),
    DATABASE_URL: db.url,
    PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  const [config = '', answer = ''] = blocks('json');
  const [start = '', ...others] = blocks('sh').map((text) => text.replaceAll('8080', String(port)));
  expect(others).toHaveLength(7);
  await writeFile(join(folder, 'jobs.json'), config);
  const commands = `${start.replace('npx etl', 'exec npx etl')} --port ${port}`;
  const service = spawn('bash', ['-euc', commands], { cwd: folder, env, stdio: 'pipe' });
  let said = '';
  service.stderr.on('data', (text: Buffer) => (said += text.toString()));
  try {
    for (let look = 0; look < 1_000 && !said.includes('Serving'); look++) await sleep(20);
    const told: string[] = [];
    for (const text of others) {
      const script = ['-euo', 'pipefail', '-c', text.replaceAll('curl -', 'curl -f -')];
      told.push((await promisify(execFile)('bash', script, { cwd: folder, env })).stdout);
    }
    const [
      rows = '',
      lines = '',
      files = '',
      followed = '',
      repeated = '',
      states = '',
      left = '',
    ] = told;
    const first = JSON.parse(rows) as Record<string, unknown>;
    const shown = JSON.parse(answer) as Record<string, unknown>;
    expect(Object.keys(first)).toEqual(expect.arrayContaining(Object.keys(shown)));
    expect(first).toMatchObject({ state: 'loaded', counts: shown['counts'], error: null });
    expect(lines.match(/"state":"loaded"/g)).toHaveLength(2);
    expect(files.match(/"state":"loaded"/g)).toHaveLength(3);
    expect(followed).toContain('event: done');
    const [one, same] = repeated
      .split(/(?<=\})(?=\{"id")/)
      .map((text) => JSON.parse(text) as object);
    expect([one, same]).toEqual([same, expect.objectContaining({ state: 'loaded' })]);
    expect(states).toContain('"name":"profiles","table":"profiles"');
    expect(states).toContain('etl_uploads_total{job="profiles",state="loaded"} 7');
    expect(states).toContain('{"status":"ok"}{"status":"ready"}');
    expect(left).toMatch(/^etl_record,.*\n.*nine/);
    const [count] = await db.query('select count(*)::int as profiles from profiles');
    expect(count).toEqual({ profiles: 8 });
  } finally {
    service.kill('SIGTERM');
    await once(service, 'close');
    await rm(folder, { recursive: true });
  }
  await expectNoLeaks(db.url);
  await db.drop();
});
