import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What threads and processes of integration tests run. */
const BUILT_DOORS = fileURLToPath(new URL('test/support/built-doors.ts', import.meta.url));

// The test rooms (see ARCHITECTURE.md). Unit, corpus and simulation need no database; integration
// runs against a real PostgreSQL that its global set-up starts and stops; browser needs Chromium and
// is not part of `npm test`.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          // Unit tests change nothing of their process, so its modules are loaded once for all:
          // 19 instead of 42 s of CPU.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'threads',
          isolate: false,
        },
      },
      { test: { name: 'corpus', include: ['test/corpus/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/postgres-global.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          alias: [{ find: /^(?:\.{1,2}\/)+doors\.ts$/, replacement: BUILT_DOORS }],
          // Each file has a database of its own, and what it changes of its process it puts back; so the
          // engine's modules are loaded once a worker, not once a file: twelve files take 23 instead of
          // 37 s of CPU.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
