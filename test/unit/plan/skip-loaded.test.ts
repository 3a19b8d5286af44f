import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../../src/plan/fingerprint.ts';
import type { LedgerEntry } from '../../../src/plan/plan-context.ts';
import type { SourceFile } from '../../../src/source/source-file.ts';
import type { AskedFiles } from '../../../src/target/ledger.ts';
import type { GoneEntries } from '../../../src/target/gone-entries.ts';
import { findLoaded } from '../../../src/plan/skip-loaded.ts';
import { csvFile, request, table } from './fixtures.ts';

const FILE = csvFile('a.csv');
const ENTRY: LedgerEntry = {
  path: FILE.path,
  bytes: FILE.bytes,
  mtimeMs: FILE.mtimeMs,
  contentHash: 'abc',
  fingerprint: 'f1',
  runId: 'r1',
  loadedAt: '2024-01-02T00:00:00.000Z',
  rowsRead: 12,
};

const APPENDED: Setting = { keyed: false, lies: () => '/real/a.csv' };

/** When the ledger says that the file was changed last, and when the file does. */
function changedAt(entry: number | undefined, file: number): Setting {
  return { entries: [{ ...ENTRY, ctimeMs: entry }], files: [{ ...FILE, ctimeMs: file }] };
}

interface Setting {
  readonly entries?: readonly LedgerEntry[];
  readonly files?: readonly SourceFile[];
  readonly force?: boolean;
  readonly content?: string;
  readonly empty?: boolean;
  readonly keyed?: boolean;
  readonly gone?: GoneEntries;
  readonly unlogged?: true;
  /** Where a file of this path lies. */
  readonly lies?: (path: string) => string;
}

async function look(setting: Setting) {
  const hashed: string[] = [];
  const asked: string[] = [];
  const { loaded, retimed, notices } = await findLoaded(
    setting.files ?? [FILE],
    table({
      empty: setting.empty ?? false,
      ...(setting.unlogged === undefined ? {} : { unlogged: setting.unlogged }),
    }),
    { fingerprint: 'f1', keyed: setting.keyed ?? true, appends: setting.keyed === false },
    {
      source: {
        realPaths: (paths) => Promise.resolve(paths.map(setting.lies ?? ((path) => path))),
      },
      force: setting.force ?? false,
      hashFiles: (files) => {
        hashed.push(...files.map(({ path }) => path));
        return Promise.resolve(new Map(hashed.map((path) => [path, setting.content ?? 'abc'])));
      },
      catalog: {
        loadedFiles: (_oid: number, { fingerprint }: AskedFiles) =>
          Promise.resolve(
            (setting.entries ?? [ENTRY]).filter(
              (entry) => fingerprint === undefined || entry.fingerprint === fingerprint,
            ),
          ),
        lostPaths: (_oid: number, paths: readonly string[]) => Promise.resolve(paths),
        goneEntries: (name: string, paths: readonly string[]) => {
          asked.push(`${name}: ${paths.join(', ')}`);
          return Promise.resolve(setting.gone ?? null);
        },
      } as never,
    },
  );
  return { loaded: [...loaded.keys()], retimed: [...retimed], notices, hashed, asked };
}

describe('files that are loaded already', () => {
  it.each<[string, Setting, boolean, boolean]>([
    ['the same file', {}, true, false],
    ['no entry', { entries: [] }, false, false],
    ['--force', { force: true }, false, false],
    ['other bytes', { entries: [{ ...ENTRY, bytes: 999 }] }, false, false],
    ['another meaning', { entries: [{ ...ENTRY, fingerprint: 'f2' }] }, false, false],
    ['touched, same content', { entries: [{ ...ENTRY, mtimeMs: 1 }] }, true, true],
    ['the same since its last change', changedAt(5, 5), true, false],
    ['its rights changed', changedAt(5, 7), true, true],
    ['replaced with its time', { ...changedAt(5, 7), content: 'x' }, false, true],
    ['of an older ledger, and changed before it was loaded', changedAt(undefined, 5), true, false],
    [
      'of an older ledger, and replaced since',
      { ...changedAt(undefined, Date.parse('2024-01-03')), content: 'x' },
      false,
      true,
    ],
    [
      'with append, reached by another path',
      { ...APPENDED, entries: [{ ...ENTRY, path: '/elsewhere/a.csv', realPath: '/real/a.csv' }] },
      true,
      false,
    ],
    [
      'with append, loaded by the path where it lies',
      { ...APPENDED, entries: [{ ...ENTRY, path: '/real/a.csv' }] },
      true,
      false,
    ],
    [
      'with append, another file of the path and of the same content, at another time',
      { ...APPENDED, entries: [{ ...ENTRY, realPath: '/old/a.csv', mtimeMs: 1 }] },
      false,
      false,
    ],
    [
      'with append, moved, with its time and a link in its place',
      { ...APPENDED, entries: [{ ...ENTRY, realPath: '/old/a.csv' }] },
      true,
      true,
    ],
    [
      'with a key, the same content at another place of the path',
      { ...APPENDED, keyed: true, entries: [{ ...ENTRY, realPath: '/old/a.csv' }] },
      true,
      false,
    ],
    ['changed in place', { entries: [{ ...ENTRY, mtimeMs: 1 }], content: 'x' }, false, true],
    [
      'loaded again with another meaning since',
      { entries: [ENTRY, { ...ENTRY, loadedAt: '2024-03-01', fingerprint: 'f2' }] },
      false,
      false,
    ],
    [
      'with append, loaded with another meaning since',
      {
        entries: [ENTRY, { ...ENTRY, loadedAt: '2024-03-01', fingerprint: 'f2' }],
        keyed: false,
      },
      true,
      false,
    ],
    [
      'with append, changed since it was loaded with this meaning',
      {
        entries: [
          { ...ENTRY, bytes: 999 },
          { ...ENTRY, loadedAt: '2024-03-01', fingerprint: 'f2' },
        ],
        keyed: false,
      },
      false,
      false,
    ],
    [
      'loaded with another meaning before',
      { entries: [{ ...ENTRY, loadedAt: '2023-01-01', fingerprint: 'f2' }, ENTRY] },
      true,
      false,
    ],
  ])('%s', async (_, setting, skipped, hashed) => {
    const result = await look(setting);
    expect(result.loaded).toEqual(skipped ? [FILE.path] : []);
    expect(result.hashed).toEqual(hashed ? [FILE.path] : []);
    expect(result.notices).toEqual([]);
  });

  it('notices a table that was emptied since', async () => {
    const { notices, loaded } = await look({ empty: true });
    expect(loaded).toEqual([FILE.path]);
    expect(notices).toEqual([
      'app.orders is empty, though 12 rows of 1 files were loaded into it: it was emptied since. --force loads them again.',
    ]);
    expect((await look({ empty: true, entries: [{ ...ENTRY, rowsRead: 0 }] })).notices).toEqual([]);
  });

  it('notices a file that arrived after files that it precedes', async () => {
    const files = [csvFile('0.csv'), FILE, csvFile('b.csv')];
    const { notices } = await look({ files });
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('0.csv comes before a.csv');
    expect((await look({ files: files.slice(1) })).notices).toEqual([]);
    expect((await look({ files, keyed: false })).notices).toEqual([]);
  });

  it('asks of an unlogged table alone what a crash of the server has taken', async () => {
    const keyed = await look({ unlogged: true });
    expect(keyed.loaded).toEqual([]);
    expect(keyed.notices).toEqual([
      'app.orders is unlogged, and a crash of the server emptied it after 1 of the files were loaded: they are loaded again.',
    ]);
    expect((await look({})).loaded).toHaveLength(1);
    // Rows that somebody has appended since may be these very rows.
    expect((await look({ unlogged: true, keyed: false })).loaded).toHaveLength(1);
    expect((await look({ unlogged: true, keyed: false, empty: true })).loaded).toEqual([]);
  });

  it('asks for entries of a table of another oid where rows could be doubled', async () => {
    const gone = { tableOid: 7, files: 1, rows: 12 };
    const other = csvFile('b.csv');
    const append = { files: [other], keyed: false, entries: [] };
    expect((await look(append)).asked).toEqual([`app.orders: ${other.path}`]);
    await expect(look({ ...append, gone })).rejects.toThrow(
      '12 rows of 1 of the files were loaded into a table of the name app.orders that had another oid (7)',
    );
    const begun = { files: [FILE, other], entries: [ENTRY] };
    for (const none of [{ empty: true }, { force: true }, { keyed: true }, begun]) {
      expect((await look({ ...append, gone, ...none })).asked).toEqual([]);
    }
  });

  it('asks no ledger for a table that does not exist', async () => {
    const context = { force: false, hashFiles: () => Promise.reject(new Error('not asked')) };
    const catalog = { loadedFiles: () => Promise.reject(new Error('not asked')) } as never;
    const source = { realPaths: () => Promise.resolve(['/real/a.csv']) };
    const options = { fingerprint: 'f1', keyed: false, appends: true };
    const found = await findLoaded([FILE], null, options, { ...context, catalog, source });
    expect(found.loaded.size).toBe(0);
    // What is loaded now is to be known again.
    expect([...found.realPaths]).toEqual([[FILE.path, '/real/a.csv']]);
  });
});

describe('the fingerprint of a load', () => {
  const utc = { timeZone: 'UTC' };
  const base = fingerprintOf(request(), ['id'], utc);

  it('is the same for the same meaning, however it is written down', () => {
    // Recorded: entries in ledgers of users must keep their meaning across versions.
    expect(base).toBe('912e7e4d752bb8a8a946e649d93f6fe292011725d7e4602a61bc23e07b23efca');
    const columns = fingerprintOf(request({ columns: { a: 'b', c: 'd' } }), ['id'], utc);
    expect(fingerprintOf(request({ columns: { c: 'd', a: 'b' } }), ['id'], utc)).toBe(columns);
    expect(fingerprintOf(request({ strategy: 'hybrid', order: 'mtime' }), ['id'], utc)).toBe(base);
    expect(fingerprintOf(request({ versionColumn: 'at' }), ['id'], utc)).toBe(base);
  });

  it.each([
    ['key', fingerprintOf(request(), ['id', 'name'], utc)],
    ['policy', fingerprintOf(request({ onConflict: 'ignore' }), ['id'], utc)],
    ['columns', fingerprintOf(request({ columns: { a: null } }), ['id'], utc)],
    ['dialect', fingerprintOf(request({ csv: { ...request().csv, null: 'NA' } }), ['id'], utc)],
    ['time zone', fingerprintOf(request(), ['id'], { timeZone: 'Europe/Berlin' })],
  ])('changes with the %s', (_, other) => {
    expect(other).not.toBe(base);
  });

  it('changes with the version column where the newest row wins', () => {
    const newest = (versionColumn: string) =>
      fingerprintOf(request({ onConflict: 'newest', versionColumn }), ['id'], utc);
    expect(newest('a')).not.toBe(newest('b'));
  });
});

describe('files that are loaded already, and have other times', () => {
  const other = { ...FILE, mtimeMs: FILE.mtimeMs + 5_000 };
  it.each<[string, Setting, boolean]>([
    ['a change of its attributes', changedAt(1_000, 5_000), true],
    ['a copy', { files: [other] }, true],
    ['times that are the same', changedAt(5_000, 5_000), false],
    ['another content', { ...changedAt(1_000, 5_000), content: 'other' }, false],
    [
      'rows in memory, written anew by each call',
      { files: [{ ...other, recordedAs: FILE.path }] },
      false,
    ],
    ['a link, the file lies elsewhere now', { ...APPENDED, files: [FILE] }, false],
  ])('%s: the run notes its times: %#', async (_, setting, noted) => {
    expect((await look(setting)).retimed).toEqual(noted ? [[FILE.path, FILE.path]] : []);
  });
});
