import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, Socket, createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type WatchdogReply,
  type WatchdogRequest,
  readLine,
  writeLine,
} from '../../../src/embedded/watchdog-protocol.ts';

const stop: WatchdogRequest = { kind: 'stop', binaries: null };

let folder: string;
let server: Server;
let near: Socket;
let far: Socket;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-protocol-'));
  const path = join(folder, 's');
  server = createServer({ allowHalfOpen: true }).listen(path);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  near = createConnection(path);
  [far] = (await accepted) as [Socket];
});
afterEach(async () => {
  near.destroy();
  far.destroy();
  server.close();
  await rm(folder, { recursive: true });
});

test('a message arrives whole, also one of many packets and characters of many bytes', async () => {
  const long: WatchdogReply = {
    kind: 'failed',
    error: { code: 'ETL_EMBEDDED', sentence: 'é🙂\n'.repeat(50_000), remedy: '', facts: {} },
  };
  const read = readLine<WatchdogReply>(far);
  writeLine(near, long);
  expect(await read).toEqual(long);
});

test('one byte at a time, and what follows the line is dropped', async () => {
  const read = readLine<WatchdogRequest>(far);
  for (const byte of Buffer.from(`${JSON.stringify(stop)}\nmore\n`)) {
    near.write(Buffer.of(byte));
  }
  expect(await read).toEqual(stop);
});

test('null where the other side leaves before it has said anything', async () => {
  const read = readLine<WatchdogRequest>(far);
  near.end('{"kind":');
  expect(await read).toBeNull();
});

test('a line without end is cut off', async () => {
  const read = readLine<WatchdogRequest>(far);
  near.on('error', () => undefined);
  near.write('x'.repeat(2 * 1024 * 1024));
  expect(await read).toBeNull();
  expect(far.destroyed).toBe(true);
});
