import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Example, Figure } from '../../examples/support/example.ts';
import { etlIn } from '../../examples/support/run-etl.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from './database.ts';

/** What is left of an example when it is done: its database, to look at, and its figures. */
export interface ExampleEnd {
  readonly db: TestDatabase;
  readonly figures: readonly Figure[];
}

/** Runs the small size of an example on a database of its own, which `look` sees at last. */
export async function runSmall<Size>(
  example: Example<Size>,
  look: (end: ExampleEnd) => Promise<void>,
): Promise<void> {
  const db = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), `etl-${example.name}-`));
  try {
    const { signal } = new AbortController();
    const { url: databaseUrl } = db;
    const etl = etlIn(folder, { databaseUrl, signal });
    const say = (): void => undefined;
    const scene = { folder, databaseUrl, signal, say, etl };
    await look({ db, figures: await example.run(scene, example.sizes.small) });
    await expectNoLeaks(databaseUrl);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await db.drop();
  }
}
