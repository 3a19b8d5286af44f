import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { FileReport, Report } from '../../src/run/report-types.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from './database.ts';
import { etl, type EtlEnd, type EtlOptions } from './etl.ts';

/** One database per test file; per test an empty folder and the name of a table of its own. */
export interface Scene {
  readonly db: TestDatabase;
  readonly folder: string;
  readonly table: string;
  write(files: Readonly<Record<string, string | Buffer>>): Promise<void>;
  /** `etl run` on the scene's table (unless --table is among the words) and database. */
  run(words: readonly string[], options?: SceneOptions): Promise<EtlEnd>;
}

export interface SceneOptions extends Omit<EtlOptions, 'cwd'> {
  /** Another way to the scene's database than its own URL: a proxy's. */
  readonly url?: string;
}

/**
 * Sets the scene by hooks of its own, and fails each test that leaves something behind.
 * `setUp`: statements for a fresh table; `once`: statements for the database.
 */
export function useScene(setUp: (table: string) => string, once = ''): Scene {
  let db: TestDatabase;
  let folder = '';
  let table = '';
  let tests = 0;
  beforeAll(async () => {
    db = await createTestDatabase();
    if (once !== '') await db.query(once);
  });
  afterAll(() => db.drop());
  beforeEach(async () => {
    table = `t${++tests}`;
    folder = await mkdtemp(join(tmpdir(), 'etl-scene-'));
    await db.query(setUp(table));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
    await expectNoLeaks(db.url);
  });
  return {
    get db() {
      return db;
    },
    get folder() {
      return folder;
    },
    get table() {
      return table;
    },
    write: async (files) => {
      for (const [name, content] of Object.entries(files)) {
        await writeFile(join(folder, name), content);
      }
    },
    run: (words, options = {}) => {
      const target = words.includes('--table') ? [] : ['--table', table];
      const argv = ['run', ...words, ...target, '--database-url', options.url ?? db.url];
      return etl(argv, { ...options, cwd: folder });
    },
  };
}

/** Files of the report's first load. */
export function filesOf(report: Report | null): readonly FileReport[] {
  return report?.loads[0]?.files ?? [];
}

export function statusesOf(report: Report | null): string[] {
  return filesOf(report).map((file) => file.status);
}
