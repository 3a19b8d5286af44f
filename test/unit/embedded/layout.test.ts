import { describe, expect, test } from 'vitest';
import { embeddedHome, layoutOf } from '../../../src/embedded/layout.ts';

const linux = { platform: 'linux', isRoot: false, homeDir: '/home/ann' };
const mac = { platform: 'darwin', isRoot: false, homeDir: '/Users/ann' };
const root = { platform: 'linux', isRoot: true, homeDir: '/root' };

describe('embeddedHome', () => {
  test.for([
    ['what was asked for comes first', { ETL_EMBEDDED_DIR: '/srv/pg' }, root, '/srv/pg'],
    ['root', {}, root, '/var/lib/parallel-upsert'],
    ['root, whatever XDG says', { XDG_DATA_HOME: '/x' }, root, '/var/lib/parallel-upsert'],
    ['a user of Linux', {}, linux, '/home/ann/.local/share/parallel-upsert'],
    ['a user with XDG_DATA_HOME', { XDG_DATA_HOME: '/data' }, linux, '/data/parallel-upsert'],
    ['macOS', {}, mac, '/Users/ann/Library/Application Support/parallel-upsert'],
    [
      'empty variables count as unset',
      { ETL_EMBEDDED_DIR: '', XDG_DATA_HOME: '' },
      linux,
      '/home/ann/.local/share/parallel-upsert',
    ],
  ] as const)('%s', ([, env, machine, home]) => {
    expect(embeddedHome(env, machine)).toBe(home);
  });

  test('a relative folder is taken from where we are', () => {
    expect(embeddedHome({ ETL_EMBEDDED_DIR: 'pg' }, linux)).toBe(`${process.cwd()}/pg`);
  });
});

describe('layoutOf', () => {
  test('sockets lie in the home where their path is short enough for every platform', () => {
    const layout = layoutOf('/srv/pg');
    expect(layout.socketDir).toBe('/srv/pg/socket');
    expect(layout.controlPath).toBe('/srv/pg/control');
    expect(layout.url).toBe('postgresql://postgres@/etl?host=/srv/pg/socket');
  });

  test('103 bytes of socket path are the last that fit', () => {
    const rest = Buffer.byteLength('/socket/.s.PGSQL.5432');
    const longest = `/${'h'.repeat(103 - rest - 1)}`;
    expect(layoutOf(longest).runDir).toBe(longest);
    expect(layoutOf(`${longest}h`).runDir).toMatch(/^\/tmp\/etl-\d+-[0-9a-f]{16}$/);
    // Bytes count, not characters.
    expect(layoutOf(`${longest.slice(0, -1)}é`).runDir).toMatch(/^\/tmp\//);
  });

  test('each long home has a short folder of its own, always the same', () => {
    const [a, b] = ['a', 'b'].map((letter) => `/${letter.repeat(120)}`) as [string, string];
    expect(layoutOf(a).runDir).toBe(layoutOf(a).runDir);
    expect(layoutOf(a).runDir).not.toBe(layoutOf(b).runDir);
    expect(layoutOf(a).dataDir).toBe(`${a}/data`);
  });

  test('the URL survives spaces, ampersands and plus signs in the path', () => {
    const { url, socketDir } = layoutOf('/srv/a b&c+d=é?#%');
    const query = url.slice(url.indexOf('?') + 1);
    expect(new URLSearchParams(query).get('host')).toBe(socketDir);
    expect(url).not.toMatch(/[ #]/);
  });
});
