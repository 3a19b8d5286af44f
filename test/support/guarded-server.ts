import { readFile, writeFile } from 'node:fs/promises';
import pg from 'pg';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { readyHome } from './embedded-process.ts';

/** An embedded server of a test's own that asks one of its users, `guarded`, for a password. */
export interface GuardedServer {
  readonly home: string;
  /** As the superuser, without a password. */
  readonly adminUrl: string;
  readonly admin: pg.Client;
  /** As `guarded`, with this password, or none. */
  url(password: string | null): string;
  release(): Promise<void>;
}

export async function startGuardedServer(password: string): Promise<GuardedServer> {
  const home = await readyHome();
  const server = await startEmbedded({ home, mode: 'attached', temporary: true });
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(`create role guarded login password ${pg.escapeLiteral(password)}`);
  await admin.query('create schema guarded authorization guarded');
  await admin.query('grant create on database etl to guarded');
  const found = await admin.query<{ file: string }>(`select current_setting('hba_file') as file`);
  const file = found.rows[0]?.file ?? '';
  await writeFile(file, `local all guarded scram-sha-256\n${await readFile(file, 'utf8')}`);
  await admin.query('select pg_reload_conf()');
  return {
    home,
    adminUrl: server.url,
    admin,
    url: (given) => {
      const secret = given === null ? '' : `:${encodeURIComponent(given)}`;
      return server.url.replace(/\/\/[^/]*@/, `//guarded${secret}@`);
    },
    async release() {
      await admin.end();
      await server.release();
    },
  };
}
