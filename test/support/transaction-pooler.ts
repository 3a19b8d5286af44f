import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { parse } from 'pg-connection-string';

/**
 * A pooler as PgBouncer is with `pool_mode = transaction`, as far as pg's own client needs one: a
 * client has a server connection from its first message to the end of its transaction; then the
 * next client may have it. Connections are given out again last in, first out.
 */
export interface TransactionPooler {
  /** The database of `url`, through the pooler. */
  readonly url: string;
  close(): Promise<void>;
}

export async function openTransactionPooler(url: string): Promise<TransactionPooler> {
  const { host, port, user, database } = parse(url);
  const number = port === null || port === undefined || port === '' ? 5432 : Number(port);
  const address =
    host?.startsWith('/') === true
      ? { path: `${host}/.s.PGSQL.${number}` }
      : { host: host ?? 'localhost', port: number };
  const names = { user: user ?? 'postgres', database: database ?? '' };
  const idle: Backend[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => client.destroy());
    serve(
      client,
      async () => {
        const free = idle.pop();
        if (free !== undefined) return free;
        const backend = await openBackend(address, names);
        sockets.add(backend.socket);
        return backend;
      },
      (backend) => idle.push(backend),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const listening = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    url: `postgres://${names.user}@127.0.0.1:${listening}/${names.database}?sslmode=disable`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Backend {
  readonly socket: Socket;
  /** What the server sent at its start but for its key, and is told to each client. */
  readonly greeting: Buffer;
}

const SSL_REQUEST = 80_877_103;
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
/** BackendKeyData: as poolers do, one that is no backend's. */
const BACKEND_KEY = 0x4b;
const OWN_KEY = Buffer.from([BACKEND_KEY, 0, 0, 0, 12, 0x7f, 1, 2, 3, 4, 5, 6, 7]);

function serve(
  client: Socket,
  take: () => Promise<Backend>,
  give: (backend: Backend) => void,
): void {
  let started = false;
  let bound: Promise<Backend> | null = null;
  const bind = (): Promise<Backend> =>
    (bound ??= take().then((backend) => {
      const answers = splitter((message) => {
        client.write(message);
        // Ready for query, and in no transaction.
        if (message[0] !== 0x5a || message[5] !== 0x49) return;
        backend.socket.removeListener('data', answers);
        bound = null;
        give(backend);
      });
      backend.socket.on('data', answers);
      return backend;
    }));
  client.on('data', (bytes) => {
    if (!started) {
      if (bytes.readUInt32BE(4) === SSL_REQUEST) {
        client.write('N');
        return;
      }
      started = true;
      void take().then((backend) => {
        client.write(Buffer.concat([backend.greeting, OWN_KEY, READY]));
        give(backend);
      });
      return;
    }
    // Goodbye is between the client and the pooler.
    if (bytes[0] === 0x58) client.end();
    else void bind().then((backend) => backend.socket.write(bytes));
  });
}

/** Opens a connection that needs no password, and reads to its first ReadyForQuery. */
async function openBackend(
  address: { path: string } | { host: string; port: number },
  names: { readonly user: string; readonly database: string },
): Promise<Backend> {
  const socket = connect(address);
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  const fields = `user\0${names.user}\0database\0${names.database}\0application_name\0test-support\0\0`;
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + Buffer.byteLength(fields), 0);
  head.writeUInt32BE(196_608, 4);
  socket.write(Buffer.concat([head, Buffer.from(fields)]));
  const greeting = await new Promise<Buffer>((resolve) => {
    const messages: Buffer[] = [];
    const read = splitter((message) => {
      if (message[0] !== 0x5a) {
        if (message[0] !== BACKEND_KEY) messages.push(message);
        return;
      }
      socket.removeListener('data', read);
      resolve(Buffer.concat(messages));
    });
    socket.on('data', read);
  });
  return { socket, greeting };
}

/** Cuts a server's stream into messages. */
function splitter(onMessage: (message: Buffer) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
      const end = 1 + rest.readUInt32BE(1);
      const message = rest.subarray(0, end);
      rest = rest.subarray(end);
      onMessage(message);
    }
  };
}
