import { afterAll, test } from 'vitest';
import {
  filesOf,
  printTallies,
  throughProxy,
  tryEveryMoment,
  type FaultyLoad,
  type FaultTally,
} from '../support/nth-fault.ts';
import { overlappingFiles } from '../support/overlapping-files.ts';
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

const WRITES = /^\s*(?!select|show|begin$)\w/i;
const OF_MERGE = /^\s*(?:begin|explain|insert|savepoint|release|set constraints|commit|rollback)/i;

/** What another load of the list has not sent before. */
const OF_BAD_ROW = /^\s*(?:begin|copy|insert|savepoint|rollback|delete|commit)/i;
const OF_DIRECT = /^\s*(?:begin|copy|insert|set constraints|savepoint|release|rollback|commit)/i;
const OF_SHARES =
  /^\s*(?:begin|copy|with spans|insert|set constraints|prepare|select gid|commit|rollback)/i;
const OF_FRESH = /^\s*(?:begin|copy|create table|alter|drop|insert|commit)/i;

const LOADS: readonly (readonly [string, FaultyLoad, RegExp])[] = [
  ['file pipeline', { strategy: 'hybrid' }, /^/],
  ['append', { strategy: 'full-parallel', onConflict: 'append' }, /^/],
  ['fresh table and ledger', { strategy: 'full-parallel', fresh: true }, /^/],
  ['a bad row', { strategy: 'hybrid', badRow: true }, OF_BAD_ROW],
  ['direct copy', { strategy: 'full-parallel', direct: true }, OF_DIRECT],
  ['direct copy, a bad row', { strategy: 'full-parallel', direct: true, badRow: true }, OF_DIRECT],
  ['shares, prepared', { strategy: 'partitioned', shares: true }, OF_SHARES],
  ['shares, not prepared', { strategy: 'partitioned', shares: true, prepared: false }, OF_SHARES],
  ['fresh table, a bad row', { strategy: 'full-parallel', fresh: true, badRow: true }, OF_FRESH],
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
  const files =
    load.direct === true
      ? risingFiles()
      : load.shares === true
        ? oneOf(risingFiles())
        : load.fresh === true
          ? distinctFiles()
          : overlappingFiles(3, 15, 10);
  await scene.write(filesOf(load, files));
  const { db, folder, table } = scene;
  const replay = `--project integration ${FILE} -t '${name}: ${fate}'`;
  const run = throughProxy(db, fate, (statement) => counted.every((of) => of.test(statement)));
  const tally = await tryEveryMoment({ db, folder, table, files }, load, replay, run);
  tallies.set(`${name}, ${fate} the statement`, tally);
});

/** Sorted, one above the other, and above what the table holds. */
function risingFiles(): ReturnType<typeof overlappingFiles> {
  return [3_000, 4_000].map((from) => ({
    columns: ['id', 'name', 'n'],
    rows: Array.from({ length: 15 }, (_, row) => [String(from + row), `row ${row}`, String(row)]),
  }));
}

/** The rows of all of them in one. */
function oneOf(files: ReturnType<typeof risingFiles>): ReturnType<typeof risingFiles> {
  return files.slice(0, 1).map((file) => ({ ...file, rows: files.flatMap(({ rows }) => rows) }));
}

/** A new table is filled before it has its key where no key comes twice. */
function distinctFiles(): ReturnType<typeof overlappingFiles> {
  return overlappingFiles(3, 15, 100).map((file) => ({
    ...file,
    rows: [...new Map(file.rows.map((row) => [row[0], row])).values()],
  }));
}
