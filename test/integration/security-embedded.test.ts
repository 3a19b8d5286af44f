import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEmbedded, type EmbeddedServer } from '../../src/embedded/embedded.ts';
import { layoutOf, type Layout } from '../../src/embedded/layout.ts';
import { freshHome, queryOnce } from '../support/embedded-process.ts';

/** Who reaches the embedded server: this user (and root), through a socket, and nobody else. */
let server: EmbeddedServer;
let layout: Layout;
beforeAll(async () => {
  const home = freshHome();
  layout = layoutOf(home);
  // What is asked for here must not open it either.
  const settings = { listen_addresses: '*', unix_socket_permissions: '0777', port: '54329' };
  server = await startEmbedded({ home, mode: 'attached', temporary: true, settings });
});
afterAll(() => server.release());

test('it listens on no address, whatever its settings ask for', async () => {
  const asked = `select string_agg(current_setting(name), ' ') as said
                   from unnest(array['listen_addresses', 'unix_socket_permissions', 'port']) name`;
  expect(await queryOnce(server.url, asked)).toEqual([{ said: ' 0700 5432' }]);
  const client = connectSocket({ host: '127.0.0.1', port: 54329 });
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});

test.runIf(process.platform === 'linux')('none of its processes has a listening TCP socket', () => {
  const own = new Set(socketsOf(server.pid));
  expect(own.size).toBeGreaterThan(0);
  const listening = ['tcp', 'tcp6'].flatMap((kind) =>
    readFileSync(`/proc/net/${kind}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === '0A')
      .map((fields) => fields[9] ?? ''),
  );
  expect(listening.filter((inode) => own.has(inode))).toEqual([]);
});

/** Inodes of the sockets of a process and of its children. */
function socketsOf(postmaster: number): string[] {
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
  return [postmaster, ...children.trim().split(/\s+/).map(Number)].flatMap((pid) =>
    openFilesOf(pid).flatMap((fd) => {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? [];
      return inode === undefined ? [] : [inode];
    }),
  );
}

/** None of a process that has ended meanwhile, as a server's workers do. */
function openFilesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}

test('its folders and its socket are closed to others', () => {
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  expect(mode(layout.socketDir)).toBe('700');
  expect(mode(layout.dataDir)).toBe('700');
  expect(mode(join(layout.socketDir, '.s.PGSQL.5432'))).toBe('700');
  // Errors in the server's log show values of rows.
  expect(mode(layout.logPath)).toBe('600');
  expect(mode(layout.recordPath).replaceAll(/[0145]/g, '')).toBe('6');
});

test.runIf(process.getuid?.() === 0)('another user cannot connect, nor read its data', () => {
  const attempt = `
    const { connect } = require('node:net');
    const { readdirSync } = require('node:fs');
    for (const path of ${JSON.stringify([layout.dataDir, layout.socketDir])}) {
      try { readdirSync(path); console.log('read ' + path); } catch (error) { console.log(error.code); }
    }
    connect(${JSON.stringify(join(layout.socketDir, '.s.PGSQL.5432'))})
      .on('connect', () => { console.log('connected'); process.exit(); })
      .on('error', (error) => console.log(error.code));`;
  const stranger = { uid: 65_533, gid: 65_533, cwd: '/', encoding: 'utf8' as const };
  const { stdout } = spawnSync(process.execPath, ['-e', attempt], stranger);
  expect(stdout.trim().split('\n')).toEqual(['EACCES', 'EACCES', 'EACCES']);
});
