import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { connectionParameters } from '../../src/job/connection-parameters.ts';
import type { Certificate } from './certificates.ts';

export interface TlsProxyOptions {
  /** Null: answers that it knows no TLS, as a server without a certificate does. */
  readonly certificate: Certificate | null;
  /** Asks clients for a certificate that this authority signed. */
  readonly clientAuthority?: string;
}

export interface TlsProxy {
  readonly port: number;
  /** What clients did: `tls`, `tls as <common name>`, `plain`. */
  readonly seen: string[];
  close(): Promise<void>;
}

/**
 * A PostgreSQL server with TLS, as far as a client can see: takes the SSLRequest on a port of
 * loopback, shakes hands with the certificate, and passes what follows on to the server behind. The
 * embedded server listens on a socket only, where PostgreSQL offers no TLS.
 */
export async function openTlsProxy(url: string, options: TlsProxyOptions): Promise<TlsProxy> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connectBehind(url);
    for (const [socket, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    client.once('data', (first: Buffer) => {
      if (!first.equals(SSL_REQUEST)) {
        seen.push('plain');
        behind.write(first);
        client.pipe(behind).pipe(client);
      } else if (options.certificate === null) {
        client.write('N');
      } else {
        const secure = secured(client, options);
        secure.on('error', () => client.destroy()).on('close', () => behind.destroy());
        secure.once('secure', () => {
          const subject: unknown = (secure.getPeerCertificate() as { subject?: { CN?: unknown } })
            .subject?.CN;
          seen.push(typeof subject === 'string' ? `tls as ${subject}` : 'tls');
        });
        secure.pipe(behind).pipe(secure);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    seen,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Length 8, then the number 80877103. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

function secured(client: Socket, { certificate, clientAuthority }: TlsProxyOptions): TLSSocket {
  client.pause();
  const secure = new TLSSocket(client, {
    isServer: true,
    secureContext: createSecureContext({
      ...certificate,
      ...(clientAuthority === undefined ? {} : { ca: clientAuthority }),
    }),
    requestCert: clientAuthority !== undefined,
    rejectUnauthorized: clientAuthority !== undefined,
  });
  // Only now: the handshake begins with the client's next bytes.
  client.write('S');
  return secure;
}

function connectBehind(url: string): Socket {
  const { host, port } = connectionParameters(url, {}).ofUrl;
  const [folder, number] = [String(host), Number(port) || 5432];
  return folder.startsWith('/')
    ? connect(join(folder, `.s.PGSQL.${number}`))
    : connect({ host: folder, port: number });
}
