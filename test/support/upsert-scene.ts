import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import {
  openUpsert,
  upsert,
  type LoaderOptions,
  type UpsertLoader,
  type UpsertOptions,
  type UpsertResult,
  type UpsertTarget,
} from '../../src/index.ts';
import { FAULTS } from './faults.ts';
import { useScene } from './scene.ts';

type Target = Omit<UpsertTarget, 'table'> & { readonly table?: string };

/** Rows in memory, through the library's door: into the table of a scene, and no spool stays behind. */
export function useUpserts() {
  const scene = useScene(
    (table) =>
      `create table ${table} (id bigint primary key, name text, n integer check (n < 100))`,
    FAULTS,
  );

  let spoolFolder = '';
  beforeAll(async () => {
    spoolFolder = await mkdtemp(join(tmpdir(), 'etl-upsert-'));
  });
  afterAll(() => rm(spoolFolder, { recursive: true }));

  function target({ table = scene.table, ...more }: Target = {}): UpsertTarget {
    return { table, databaseUrl: scene.db.url, ...more };
  }

  async function run(
    rows: Iterable<object> | AsyncIterable<object>,
    more: Target = {},
    options: UpsertOptions & LoaderOptions = {},
  ): Promise<UpsertResult> {
    const done = await upsert(target(more), rows, { spoolFolder, ...options });
    expect(await readdir(spoolFolder)).toEqual([]);
    return done;
  }

  async function withLoader<T>(
    use: (loader: UpsertLoader) => Promise<T>,
    more: Target = {},
  ): Promise<T> {
    const loader = await openUpsert(target(more), { spoolFolder });
    try {
      return await use(loader);
    } finally {
      await loader.close();
      expect(await readdir(spoolFolder)).toEqual([]);
    }
  }

  function table(): Promise<Record<string, unknown>[]> {
    return scene.db.query(`select * from ${scene.table} order by 1`);
  }

  async function ledger(): Promise<string[]> {
    const sql = `select path from etl.ledger where table_oid = $1::regclass order by id`;
    const rows = await scene.db.query<{ path: string }>(sql, [scene.table]);
    return rows.map(({ path }) => path);
  }
  return {
    ...{ scene, target, run, withLoader, table, ledger },
    get spoolFolder() {
      return spoolFolder;
    },
  };
}

export const QUARANTINE = { settings: { onError: 'quarantine' } } as const;
