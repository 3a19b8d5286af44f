import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { packageAt, type Publication } from './generate.ts';

export interface Api {
  /** Of its first page. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the packages page by page, each with the address of the next one, as such APIs do. */
export async function startApi(publication: Publication): Promise<Api> {
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? '/', 'http://localhost');
    const page = Number(asked.searchParams.get('page'));
    if (asked.pathname !== '/releases' || !(page >= 1 && page <= publication.pages)) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(packageAt(publication, page, uriOf)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const uriOf = (page: number): string => `http://127.0.0.1:${port}/releases?page=${page}`;
  return {
    url: uriOf(1),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
