import { afterAll, test } from 'vitest';
import { createInProcessPool } from '../support/in-process-pool.ts';
import { runPlan } from '../support/load.ts';
import {
  printTallies,
  tryEveryMoment,
  type FaultTally,
  type FaultyLoad,
} from '../support/nth-fault.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { useScene } from '../support/scene.ts';

/** The n-th message between the coordinator and its workers is lost, for every n. */
const scene = useScene(() => '');
const FILE = 'test/integration/nth-message.test.ts';

const tallies = new Map<string, FaultTally>();
afterAll(() => printTallies(tallies));

const LOADS: readonly (readonly [string, FaultyLoad])[] = [
  ['file pipeline', { strategy: 'hybrid' }],
  ['fresh table and ledger', { strategy: 'full-parallel', fresh: true }],
  ['partitioned, prepared', { strategy: 'partitioned', owners: true }],
];

test.for(LOADS)('%s: the n-th message is lost', async ([name, load]) => {
  const files = overlappingFiles(3, 15, load.fresh === true ? 100 : 10);
  await scene.write(csvFiles(files));
  const { db, folder, table } = scene;
  const replay = `--project integration ${FILE} -t '${name}'`;
  const tally = await tryEveryMoment(
    { db, folder, table, files },
    load,
    replay,
    async (nth, plan, parts) => {
      let messages = 0;
      const drops = (): boolean => ++messages === nth;
      const report = await runPlan(db.url, plan, {
        parts: {
          ...parts,
          createPool: (threads, setup) =>
            createInProcessPool(threads, setup, { drops, checkMs: 20 }),
        },
      });
      return { met: messages >= nth, report };
    },
  );
  tallies.set(`${name}, a message lost`, tally);
});
