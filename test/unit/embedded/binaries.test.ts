import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findBinaries, findInPackage } from '../../../src/embedded/binaries.ts';
import { openFolders } from '../../../src/embedded/folders.ts';
import type { Layout } from '../../../src/embedded/layout.ts';

let place: string;
let layout: Layout;
let native: string;

/** A package whose server is a script that runs only with its library beside it. */
beforeEach(async () => {
  place = join(tmpdir(), `etl-binaries-${randomBytes(6).toString('hex')}`);
  layout = await openFolders(join(place, 'home'));
  await chmod(place, 0o755);
  native = join(place, 'package', 'native');
  await mkdir(join(native, 'bin'), { recursive: true });
  await mkdir(join(native, 'lib'));
  await writeFile(join(native, '..', 'package.json'), '{"version":"18.9.0"}');
  await writeFile(join(native, 'lib', 'libx.so.1.2'), 'x');
  const script = '#!/bin/sh\ncat "${0%/*}/../lib/libx.so" >/dev/null || exit 1\n';
  await writeFile(join(native, 'bin', 'postgres'), `${script}echo 'postgres (PostgreSQL) 18.9'\n`);
  await chmod(join(native, 'bin', 'postgres'), 0o755);
  const links = [{ source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so' }];
  await writeFile(join(native, 'pg-symlinks.json'), JSON.stringify(links));
});
afterEach(async () => {
  await chmod(native, 0o755);
  await rm(place, { recursive: true });
});

test('missing links of libraries are made in place', async () => {
  const found = await findInPackage(layout, native);
  expect(found.version).toBe('18.9');
  expect(found.postgres).toBe(join(native, 'bin', 'postgres'));
  expect(await readlink(join(native, 'lib', 'libx.so'))).toBe('libx.so.1.2');
  expect(await findInPackage(layout, native)).toEqual(found);
});

test('a package that the server cannot be run from is copied once, open to all', async () => {
  // For root: nobody cannot read it. For another user: the same, once the script is not for them.
  await chmod(join(native, 'bin', 'postgres'), 0o600);
  const found = await findInPackage(layout, native);
  expect(found.postgres).toBe(join(layout.binariesDir, '18.9.0', 'native', 'bin', 'postgres'));
  expect(found.version).toBe('18.9');
  const library = join(layout.binariesDir, '18.9.0', 'native', 'lib', 'libx.so');
  expect(await readlink(library)).toBe('libx.so.1.2');
  await writeFile(library, 'kept');
  await findInPackage(layout, native);
  expect(await readFile(library, 'utf8')).toBe('kept');
});

test('programs asked for that do not run are named', async () => {
  const none = { initdb: '/none/initdb', pg_ctl: '/none/pg_ctl', postgres: '/none/postgres' };
  await expect(findBinaries(layout, none)).rejects.toMatchObject({ code: 'ETL_EMBEDDED' });
  await expect(findBinaries(layout, none)).rejects.toThrow('/none/postgres cannot be run');
});
