import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { silentLog } from '../../src/log.ts';
import type { Plan } from '../../src/plan/plan-types.ts';
import { runWith } from '../../src/run/run.ts';
import { countedPool } from './counted-pool.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from './database.ts';
import { FAULTS } from './faults.ts';
import { load, type LoadOptions } from './load.ts';

/** A database and a folder for large files whose rows are new and sorted, and jobs that share them out. */
export function useShares() {
  let db: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    db = await createTestDatabase();
    await db.query(FAULTS);
    folder = await mkdtemp(join(tmpdir(), 'etl-shares-'));
  });
  afterEach(() => expectNoLeaks(db.url));
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  async function counted(planned: Plan) {
    const orders = new Map<string, number>();
    const handle = runWith(
      planned,
      { databaseUrl: db.url, log: silentLog },
      {
        createPool: countedPool(orders),
        random: () => 0,
        sleep: (ms) => sleep(ms),
      },
    );
    const notices: string[] = [];
    for await (const event of handle) {
      expect(event.kind).not.toBe('unit-retried');
      if (event.kind === 'notice') notices.push(event.sentence);
    }
    return { report: await handle.report, orders: [...orders], notices };
  }

  function job(table: string, file: string): Parameters<typeof load>[1] {
    return {
      settings: { concurrency: 3, chunkSize: 50 },
      loads: [{ table, files: [file], key: ['id'], strategy: 'partitioned' }],
    };
  }

  function options(): LoadOptions & { readonly cwd: string } {
    return { cwd: folder, partBytesMin: 30 };
  }

  return {
    ...{ counted, job, options },
    get db() {
      return db;
    },
    get folder() {
      return folder;
    },
  };
}
