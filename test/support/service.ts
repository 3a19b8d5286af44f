import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../src/log.ts';
import { readServedJobs } from '../../src/serve/served-jobs.ts';
import { startService, type ServiceOptions } from '../../src/serve/service.ts';
import type { UploadReport } from '../../src/serve/upload.ts';
import type { Scene } from './scene.ts';

export const TOKEN = 'token-of-the-tests-0123456789';

type Body = NonNullable<RequestInit['body']>;

/** A service as a client sees it. */
export interface ServiceClient {
  readonly url: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body: Body, headers?: Record<string, string>): Promise<Response>;
  /** Rows as JSON; resolves to the report, whatever the status. */
  rows(job: string, rows: unknown, query?: string): Promise<UploadReport>;
  /** Asks until the upload has ended. */
  ended(id: string): Promise<UploadReport>;
}

export function clientOf(url: string, token = TOKEN): ServiceClient {
  const authorization = `Bearer ${token}`;
  const get: ServiceClient['get'] = (path, headers = {}) =>
    fetch(url + path, { headers: { authorization, ...headers } });
  const post: ServiceClient['post'] = (path, body, headers = {}) =>
    fetch(url + path, { method: 'POST', body, headers: { authorization, ...headers } });
  return {
    url,
    get,
    post,
    rows: async (job, rows, query = '') => {
      const body = JSON.stringify(rows);
      const type = { 'content-type': 'application/json' };
      const answer = await post(`/jobs/${job}/rows${query}`, body, type);
      const told = (await answer.json()) as UploadReport & { readonly report?: UploadReport };
      return told.report ?? told;
    },
    ended: async (id) => {
      for (let look = 0; look < LOOKS_MAX; look++) {
        const report = (await (await get(`/runs/${id}`)).json()) as UploadReport;
        if (report.finishedAt !== null) return report;
        await sleep(LOOK_MS);
      }
      throw new Error(`the upload ${id} does not end`);
    },
  };
}

const LOOKS_MAX = 2_000;
const LOOK_MS = 20;

export interface ServeOptions extends Partial<Omit<ServiceOptions, 'jobs'>> {
  /** What the file of jobs says beside them. */
  readonly shared?: object;
}

/** Serves jobs into the scene's database while `use` runs; then the service is stopped. */
export async function withService<T>(
  scene: Pick<Scene, 'folder' | 'db'>,
  jobs: Readonly<Record<string, object>>,
  use: (client: ServiceClient) => Promise<T>,
  { shared = {}, ...options }: ServeOptions = {},
): Promise<T> {
  await writeFile(join(scene.folder, 'jobs.json'), JSON.stringify({ ...shared, jobs }));
  const asked = { configPath: 'jobs.json', overrides: [], env: {}, cwd: scene.folder };
  const databaseUrl = scene.db.url;
  const service = await startService({
    jobs: (await readServedJobs(asked)).map((job) => ({ ...job, databaseUrl, embedded: false })),
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    openMetrics: false,
    bodyBytesMax: 10_000_000,
    queueMax: 1_000,
    spool: join(scene.folder, 'spool'),
    spoolBytesMax: 1_000_000_000,
    connectionsMax: 8,
    log: silentLog,
    ...options,
  });
  try {
    return await use(clientOf(service.url, options.token));
  } finally {
    await service.stop();
  }
}
