import { afterAll, test } from 'vitest';
import {
  printTallies,
  throughProxy,
  tryEveryMoment,
  type FaultyLoad,
  type FaultTally,
} from '../support/nth-fault.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { useScene } from '../support/scene.ts';

/**
 * The backend of whoever sends the n-th statement of a run is killed, for every n: before the server
 * gets the statement, and after it has executed it, so that nobody hears the answer.
 */
const scene = useScene(() => '');
const FILE = 'test/integration/nth-statement.test.ts';

const tallies = new Map<string, FaultTally>();
afterAll(() => printTallies(tallies));

const LOADS: readonly (readonly [string, FaultyLoad])[] = [
  ['file pipeline', { strategy: 'hybrid' }],
  ['append', { strategy: 'full-parallel', onConflict: 'append' }],
  ['fresh table and ledger', { strategy: 'full-parallel', fresh: true }],
  ['partitioned, prepared', { strategy: 'partitioned', owners: true }],
  ['partitioned, not prepared', { strategy: 'partitioned', owners: true, prepared: false }],
];

test.for(
  LOADS.flatMap(([name, load]) => [
    [name, 'kill-before', load] as const,
    [name, 'kill-after', load] as const,
  ]),
)('%s: %s the n-th statement', async ([name, fate, load]) => {
  const files = load.fresh === true ? distinctFiles() : overlappingFiles(3, 15, 10);
  await scene.write(csvFiles(files));
  const { db, folder, table } = scene;
  const replay = `--project integration ${FILE} -t '${name}: ${fate}'`;
  const run = throughProxy(db, fate, () => true);
  const tally = await tryEveryMoment({ db, folder, table, files }, load, replay, run);
  tallies.set(`${name}, ${fate} the statement`, tally);
});

/** A new table is filled before it has its key where no key comes twice. */
function distinctFiles(): ReturnType<typeof overlappingFiles> {
  return overlappingFiles(3, 15, 100).map((file) => ({
    ...file,
    rows: [...new Map(file.rows.map((row) => [row[0], row])).values()],
  }));
}
