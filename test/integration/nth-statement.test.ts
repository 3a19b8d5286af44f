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
 * The backend of whoever sends the n-th statement of a run is killed, for every n, before the server
 * gets the statement; and after the server has executed it, so that nobody hears the answer, for each
 * that is not only read: a lost answer to a question leaves what a question that was never asked does.
 *
 * `partitioned` stages alike whether it commits by prepared transactions or not, so the second time
 * only the statements of its merge count.
 */
const scene = useScene(() => '');
const FILE = 'test/integration/nth-statement.test.ts';

const tallies = new Map<string, FaultTally>();
afterAll(() => printTallies(tallies));

const WRITES = /^\s*(?!select|show|begin)\w/i;
const OF_MERGE = /^\s*(?:begin|explain|insert|savepoint|release|set constraints|commit|rollback)/i;

const LOADS: readonly (readonly [string, FaultyLoad, RegExp])[] = [
  ['file pipeline', { strategy: 'hybrid' }, /^/],
  ['append', { strategy: 'full-parallel', onConflict: 'append' }, /^/],
  ['fresh table and ledger', { strategy: 'full-parallel', fresh: true }, /^/],
  ['partitioned, prepared', { strategy: 'partitioned', owners: true }, /^/],
  [
    'partitioned, not prepared',
    { strategy: 'partitioned', owners: true, prepared: false },
    OF_MERGE,
  ],
];

test.for(
  LOADS.flatMap(([name, load, counted]) => [
    [name, 'kill-before', load, [counted]] as const,
    [name, 'kill-after', load, [counted, WRITES]] as const,
  ]),
)('%s: %s the n-th statement', async ([name, fate, load, counted]) => {
  const files = load.fresh === true ? distinctFiles() : overlappingFiles(3, 15, 10);
  await scene.write(csvFiles(files));
  const { db, folder, table } = scene;
  const replay = `--project integration ${FILE} -t '${name}: ${fate}'`;
  const run = throughProxy(db, fate, (statement) => counted.every((of) => of.test(statement)));
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
