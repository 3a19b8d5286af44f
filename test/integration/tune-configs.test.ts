import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Recommendation } from '../../benchmarks/tune/recommendation.ts';
import type { Settings } from '../../src/job/schema.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { etl } from '../support/etl.ts';

const CONFIG = fileURLToPath(new URL('../../config/', import.meta.url));
const [FILES, ROWS] = [8, 400];

/** The two configurations that ship, tuned for the server at hand and then used. */
describe.each(['dev.json', 'prod.json'])('config/%s', (name) => {
  let db: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-configs-'));
    // Another test counts what tuning leaves in the folder that all share.
    vi.stubEnv('TMPDIR', folder);
    await mkdir(join(folder, 'config'));
    await copyFile(join(CONFIG, name), join(folder, 'config', name));
    const orders = join(folder, 'examples/orders');
    await mkdir(orders, { recursive: true });
    for (let file = 0; file < FILES; file++) {
      const lines = Array.from({ length: ROWS }, (_, row) => {
        const at = `2026-03-0${file + 1} 09:12:00`;
        return `${file * ROWS * 0.5 + row},Customer ${row},paid,${row}.5${file},${at}\n`;
      });
      const text = `order_id,customer,status,total,updated_at\n${lines.join('')}`;
      await writeFile(join(orders, `2026-03-0${file + 1}.csv`), text);
    }
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('is tuned, and loads with the settings that come out', async () => {
    const options = { cwd: folder };
    const target = ['--config', `config/${name}`, '--database-url', db.url];
    const words = ['benchmark', ...target, '--apply', '--minutes', '1', '--json'];
    const before = await settingsOf();
    const tuned = await etl(words, options);
    expect(tuned.code, tuned.stderr).toBe(0);
    const { choices, server, sample } = JSON.parse(tuned.stdout) as Recommendation;
    expect(sample.files).toBe(FILES);
    expect(server.settings).toHaveProperty('shared_buffers');
    const concurrency = choices.find(({ setting }) => setting === 'concurrency');
    expect(concurrency?.candidates.length).toBeGreaterThan(1);
    const applied = choices.filter(({ rounds }) => rounds >= 3);
    expect(await settingsOf()).toEqual({
      ...before,
      ...Object.fromEntries(applied.map(({ setting, recommended }) => [setting, recommended])),
    });
    const loaded = await etl(['run', ...target, '--quiet'], options);
    expect(loaded.code, loaded.stderr).toBe(0);
    const [row] = await db.query('select count(*)::int as rows from public.orders');
    expect(row).toEqual({ rows: (FILES + 1) * ROWS * 0.5 });
  }, 240_000);

  async function settingsOf(): Promise<Settings> {
    const text = await readFile(join(folder, 'config', name), 'utf8');
    return (JSON.parse(text) as { settings: Settings }).settings;
  }
});
