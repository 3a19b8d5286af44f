import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { libpqEnvironment } from './peers/libpq-environment.ts';

/** The name of the socket is part of PostgreSQL's protocol; the port is only a part of it. */
const SOCKET = '.s.PGSQL.5432';

/**
 * Puts a server far away: whatever it answers arrives so much later, through a socket of our own. Of
 * a machine with few cores it shows what concurrency does about waiting. Encrypted lines pass only
 * where the server does not insist on them, as this socket is none.
 */
export async function withLatency<T>(
  databaseUrl: string,
  latencyMs: number,
  use: (databaseUrl: string) => Promise<T>,
): Promise<T> {
  if (latencyMs === 0) return use(databaseUrl);
  const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE } = libpqEnvironment(databaseUrl);
  const folder = await mkdtemp(join(tmpdir(), 'etl-latency-'));
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connectTo(PGHOST ?? 'localhost', Number(PGPORT ?? 5432));
    for (const [socket, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.pipe(behind);
    delay(behind, client, latencyMs);
  });
  try {
    await listen(server, join(folder, SOCKET));
    const user = encodeURIComponent(PGUSER ?? 'postgres');
    const password = PGPASSWORD === undefined ? '' : `:${encodeURIComponent(PGPASSWORD)}`;
    const database = encodeURIComponent(PGDATABASE ?? PGUSER ?? 'postgres');
    const host = encodeURIComponent(folder);
    return await use(`postgres://${user}${password}@/${database}?host=${host}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function connectTo(host: string, port: number): Socket {
  return host.startsWith('/')
    ? connect(join(host, `.s.PGSQL.${port}`))
    : connect({ host, port, noDelay: true });
}

/** Timers of one duration end in the order in which they began, so the bytes stay in order. */
function delay(from: Socket, to: Socket, latencyMs: number): void {
  from.on('data', (chunk: Buffer) => {
    setTimeout(() => to.write(chunk), latencyMs);
  });
  from.on('end', () => {
    setTimeout(() => to.end(), latencyMs);
  });
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
}
