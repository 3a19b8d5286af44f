/**
 * What work costs, in seconds of one processor. Measured on PostgreSQL 15.18 with 500,000-row files
 * of 8 columns (38 MB of CSV each) on a machine of about one core, so only their ratios carry over;
 * `cost.ts` compares strategies by them and promises no durations.
 *
 * Two loads check the sum: six files with the same 500,000 keys took 22.5 to 26.8 s `sequential`
 * (these figures give 21.6) and 8.0 s `partitioned` by two workers (8.2).
 */
export const COSTS = {
  /** COPY of CSV into a temporary table: 0.8 million rows a second. */
  stageCsvRow: 1 / 800_000,
  /** Parquet, as binary COPY: 2.3 times as fast. */
  stageParquetRow: 1 / (2.3 * 800_000),
  /** CSV that csv-parse has to rewrite: 0.4 million rows a second, and then the COPY. */
  stageRewrittenRow: 1 / 400_000 + 1 / 800_000,
  /** JSON records of 500 bytes, of which 8 values are wanted: 0.1 million a second, COPY included. */
  stageJsonRow: 1 / 100_000,
  /** Assumed, not measured: a document of 20 kB, read and staged, whatever its columns. */
  stageDocument: 100e-6,
  /**
   * Finding the ids of looked-up values: the staged rows go once into a table that has them, 1.9 s per
   * million, and each lookup costs the distinct values and a join; 2.5 s with one lookup (a million rows
   * of 7 columns, 5,000 companies), whether the rows are there or are created.
   */
  foundRow: 1.9e-6,
  lookUpRow: 0.6e-6,
  /** Columns of the measured files; staging grows with the columns. */
  stageColumns: 8,
  /**
   * What a further worker adds: most of what are called processors share a core with another. Two
   * workers on two of them did the work of 1.6 in six loads of 1.5 to 4 million rows.
   */
  furtherWorker: 0.6,
  /** Sorting staged rows and picking one per key: the rest of the 8.0 s of `partitioned`. */
  pickRow: 0.62e-6,
  /**
   * What a row costs more to merge where the rows of its unit do not come in the order of their keys:
   * 0.5 to 1 s per 600,000 (six files in random order, in falling order, and in order). `partitioned`
   * sorts the rows of all files anyway, and took the same for each order.
   */
  sortRow: 1e-6,
  /**
   * Writing a new key by INSERT, where all keys of the unit are new, 0.85 s per 500,000; by ON
   * CONFLICT 1.5 s; changing one that is there, 2.9 s.
   */
  insertNewKey: 0.85 / 500_000,
  insertKey: 1.5 / 500_000,
  updateKey: 2.9 / 500_000,
  /** COPY of new, sorted CSV rows into the table itself: 0.72 of staging and inserting them. */
  copyNewRow: 1.28 / 500_000,
  /**
   * COPY of CSV rows into a table that has no key yet, and adding the key, 0.27 s per 500,000. Together
   * 1.5 million rows of 8 columns took 3.0 to 3.5 s of the server's CPU, and 6.1 to 7.0 through the key.
   */
  fillRow: 1.6e-6,
  addKeyRow: 0.27 / 500_000,
  /**
   * Hashing, exporting and receiving keys for the proof. The statement alone is 65 to 180 ms per 500,000;
   * but loads whose units are proved took 0.7 to 0.75 s of CPU more per million rows than the same ones
   * in order (six files without a shared key, and the same rows again).
   */
  exportKey: 0.65e-6,
  /** Sorting and comparing them in the coordinator, which is one thread. */
  proveKey: 60e-9,
  /**
   * What a key costs more in `partitioned` than these figures say, since it is picked out of all files:
   * a row was 5.3 µs in all where no key came twice (six files of 250,000, and eight of 500,000).
   */
  pickSharedKey: 0.9e-6,
  /** In `partitioned` each owner hashes each staged key to see whether it is its own. */
  ownKey: 0.15e-6,
  /** Reading a CSV file for its keys, and sifting them: 0.12 and 0.1 s per 500,000 rows. */
  siftRow: 0.22 / 500_000,
  /**
   * Comparing files with their table before they are loaded: to read and hash a record; to have a row
   * of the table spelled, received and hashed; and what a row that changes nothing costs otherwise, to be
   * staged and found unchanged. Client and server together.
   */
  compareRecord: 0.35e-6,
  compareTableRow: 0.9e-6,
  unchangedRow: 4.2e-6,
  /** Reading a CSV file once to find where it can be split, and for its hash, per byte. */
  findPartsByte: 2e-9,
  /** Levels of a B-tree of the measured 3 million rows, with 250 entries on a page. */
  indexLevels: 2.7,
  indexFanOut: 250,
  /**
   * A small file among thousands: sampled, opened, staged with its group, and put into the ledger. 10,000
   * files of 100 rows took 10.6 s of CPU in order, about 6 more than a million rows in few files.
   */
  file: 0.6e-3,
  /** Assumed, not measured: a unit's staging table and commit, and the set-up of `partitioned`. */
  unit: 0.01,
  partitionedSetUp: 0.1,
} as const;
