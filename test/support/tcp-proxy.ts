import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { parse } from 'pg-connection-string';
import { createMessageReader, createStartupReader } from './wire-messages.ts';

/** What becomes of a statement, and of the line that it came by. */
export type Fate =
  | 'pass'
  /** `kill`: the backend is ended. `cut`: the line. `silence`: both ends stay open, nothing passes. */
  | `${'kill' | 'cut' | 'silence'}-${'before' | 'after'}`
  /** The server gets the statement when it is `late`, and never hears that its client is gone. */
  | 'cut-during';

export interface ProxyOptions {
  /**
   * Asked for each statement (a query, or the end of a COPY's data) before the server gets it. With
   * `before` the server never gets it; with `after` it does, and its answer goes to nobody.
   */
  readonly fateOf?: (statement: string) => Fate;
  /** When the server gets a statement whose line is cut meanwhile; at once by default. */
  readonly late?: Promise<void>;
  /** Ends a backend, for `kill`. */
  readonly kill?: (pid: number) => Promise<unknown>;
  /** Each piece of the server's answers waits so long. */
  readonly delayMs?: number;
  /** Every byte, in both directions, is a packet of its own. */
  readonly singleBytes?: boolean;
  /** Takes connections, and never says a word. */
  readonly mute?: boolean;
}

export interface TcpProxy {
  /** The database of the given URL, through the proxy. */
  readonly url: string;
  /** Cuts the lines that are open, by a reset, and refuses new ones until `accept`. */
  refuse(): void;
  accept(): void;
  /** All lines fall silent; new ones pass. */
  silence(): void;
  close(): Promise<void>;
}

/** A line between client and server that understands their messages, and fails as it is told to. */
export async function openTcpProxy(url: string, options: ProxyOptions = {}): Promise<TcpProxy> {
  const { host, port, user, database } = parse(url);
  const number = port === null || port === undefined || port === '' ? 5432 : Number(port);
  const address =
    host?.startsWith('/') === true
      ? { path: `${host}/.s.PGSQL.${number}` }
      : { host: host ?? 'localhost', port: number };
  const lines = new Set<Line>();
  let refusing = false;
  const server = createServer({ noDelay: true }, (client) => {
    if (refusing) {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const line = openLine(client, connect(address), options);
    lines.add(line);
    line.ended.then(
      () => lines.delete(line),
      () => undefined,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const listening = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    url: `postgres://${user ?? 'postgres'}@127.0.0.1:${listening}/${database ?? ''}?sslmode=disable`,
    refuse: () => {
      refusing = true;
      for (const line of lines) line.cut();
    },
    accept: () => {
      refusing = false;
    },
    silence: () => {
      for (const line of lines) line.silence();
    },
    close: async () => {
      for (const line of lines) line.cut();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Line {
  readonly ended: Promise<void>;
  cut(): void;
  silence(): void;
}

function openLine(client: Socket, behind: Socket, options: ProxyOptions): Line {
  const { fateOf = () => 'pass', kill = () => Promise.resolve(), delayMs = 0 } = options;
  let silent = options.mute === true;
  let pid = 0;
  /** The server dies, and must not be asked for the rest of the statement. */
  let deaf = false;
  /** Set while the server's answer to a statement goes to nobody. */
  let after: Fate | null = null;
  const cut = (): void => {
    client.resetAndDestroy();
    behind.destroy();
  };
  const silence = (): void => {
    silent = true;
  };
  const pass = (to: Socket, bytes: Buffer): void => {
    if (silent || to.destroyed) return;
    if (options.singleBytes === true) for (const byte of bytes) to.write(Buffer.of(byte));
    else to.write(bytes);
  };
  const strike = (fate: Fate): Promise<unknown> | undefined => {
    if (fate.startsWith('kill')) return kill(pid);
    if (fate.startsWith('cut')) cut();
    if (fate.startsWith('silence')) silence();
    return undefined;
  };
  const fromClient = createMessageReader(async (message) => {
    const statement = statementOf(message);
    const fate = statement === null ? 'pass' : fateOf(statement);
    if (fate.endsWith('before')) {
      deaf = true;
      return strike(fate);
    }
    if (fate.endsWith('after')) after = fate;
    if (fate === 'cut-during') {
      silence();
      client.resetAndDestroy();
      await options.late;
      behind.end(message);
    } else if (!deaf) pass(behind, message);
    return undefined;
  });
  const startup = createStartupReader(
    (bytes) => pass(behind, bytes),
    (bytes) => fromClient(bytes),
  );
  const fromServer = createMessageReader(async (message) => {
    const kind = String.fromCharCode(message[0] ?? 0);
    if (kind === 'K') pid = message.readUInt32BE(5);
    if (after === null) {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      pass(client, message);
      return undefined;
    }
    // ReadyForQuery, or the server's word that it awaits the data of a COPY.
    if (kind !== 'Z' && kind !== 'G') return undefined;
    const fate = after;
    after = null;
    return strike(fate);
  });
  return { ended: joined(client, behind, startup, fromServer, () => silent), cut, silence };
}

/** One end closes after what came from it was passed on; nobody hears of it through a silent line. */
async function joined(
  client: Socket,
  behind: Socket,
  fromClient: (bytes: Buffer) => Promise<void>,
  fromServer: (bytes: Buffer) => Promise<void>,
  silent: () => boolean,
): Promise<void> {
  const ends = [
    [client, behind, fromClient],
    [behind, client, fromServer],
  ] as const;
  await Promise.all(
    ends.map(
      ([from, to, read]) =>
        new Promise<void>((resolve) => {
          let last = Promise.resolve();
          from.on('data', (bytes: Buffer) => {
            last = last.then(() => read(bytes));
          });
          from.on('error', () => undefined);
          from.on('close', () => {
            void last.finally(() => {
              if (!silent()) to.end();
              resolve();
            });
          });
        }),
    ),
  );
}

/** The text of a Query or a Parse, `copy done` for the end of a COPY's data, null for the rest. */
function statementOf(message: Buffer): string | null {
  const kind = String.fromCharCode(message[0] ?? 0);
  if (kind === 'Q') return message.toString('utf8', 5, message.length - 1);
  if (kind === 'c') return 'copy done';
  if (kind !== 'P') return null;
  const name = message.indexOf(0, 5);
  return message.toString('utf8', name + 1, message.indexOf(0, name + 1));
}
