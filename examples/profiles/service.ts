import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EtlError, openUpsert, type UpsertTarget } from 'parallel-upsert';

/** What `POST /api/ingest` answers. */
export interface Ingested {
  readonly success: true;
  readonly inserted_raw: number;
  readonly added_to_global: number;
  readonly skipped_existing: number;
}

export interface IngestService {
  readonly url: string;
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** The tables and policies are those of the job file; its files are for `etl run`. */
const { loads } = JSON.parse(readFileSync(new URL('job.json', import.meta.url), 'utf8')) as {
  readonly loads: readonly [UpsertTarget];
};
const { table, onConflict, types, indexes, targets } = loads[0];

/** The whole service: a row of each profile, and each new username once, in one transaction a post. */
export async function startIngest(databaseUrl: string): Promise<IngestService> {
  const loader = await openUpsert({ databaseUrl, table, onConflict, types, indexes, targets });
  const ingest = async (body: string): Promise<Ingested> => {
    const { profiles } = JSON.parse(body) as { readonly profiles?: unknown };
    if (!Array.isArray(profiles)) throw new SyntaxError('The body is {"profiles": […]}.');
    const { counts, report } = await loader.upsert(profiles);
    const [names] = report?.loads[0]?.targets ?? [];
    const added = names?.inserted ?? 0;
    const inserted = counts.inserted;
    return {
      success: true,
      inserted_raw: inserted,
      added_to_global: added,
      skipped_existing: inserted - added,
    };
  };
  const server = createServer((request, response) => {
    const answer = (status: number, value: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (request.method !== 'POST' || request.url !== '/api/ingest') {
      answer(404, { success: false, error: 'There is POST /api/ingest only.' });
      return;
    }
    bodyOf(request)
      .then(ingest)
      .then(
        (ingested) => answer(200, ingested),
        (error: unknown) => answer(statusOf(error), { success: false, error: String(error) }),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/api/ingest`,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
      await loader.close();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError(`More than ${BODY_BYTES_MAX} bytes.`);
  }
  return Buffer.concat(chunks).toString();
}

function statusOf(error: unknown): number {
  if (error instanceof RangeError) return 413;
  return error instanceof SyntaxError || error instanceof EtlError ? 400 : 500;
}
