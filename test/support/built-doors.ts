import type { Door, DOORS } from '../../src/doors.ts';

/**
 * Takes the place of `src/doors.ts` in integration tests: the threads and processes that the code under
 * test starts run what postgres-global.ts has bundled from the same sources, as in the published package.
 * By tsx each of them would first compile what it imports, for half a second.
 */
export function doorOf(door: (typeof DOORS)[number]): Door {
  return { url: new URL(`${door}.js`, process.env[BUILT_DOORS_URL]), execArgv: [] };
}

/** The variable of the environment that says where the bundle lies. */
export const BUILT_DOORS_URL = 'TEST_DOORS_URL';
