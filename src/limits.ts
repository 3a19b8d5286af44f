/** A limit on everything, the limits together; units last in the name. */
export const LIMITS = {
  /** Files of one run, after globbing. */
  filesMax: 1_000_000,
  /** Threads and connections of one run. */
  concurrencyMax: 64,
  /** Rows sampled of one file, and of all files of a load. */
  sampleRowsPerFileMax: 20_000,
  sampleRowsPerLoadMax: 2_000_000,
  /** Bytes read of one file for its sample. */
  sampleBytesPerFileMax: 8 * 1024 * 1024,
  /** Bytes of one CSV header record. */
  headerBytesMax: 1024 * 1024,
  /** Bytes of one CSV record; PostgreSQL itself refuses a field above 1 GB. */
  recordBytesMax: 1024 * 1024 * 1024,
  /** Read size from files. */
  readChunkBytes: 1024 * 1024,
  /** A unit of work groups whole small files up to this many bytes and files. */
  unitGroupBytesMax: 8 * 1024 * 1024,
  unitGroupFilesMax: 1_000,
  /** Key hashes (8 bytes each) that the coordinator may hold for admission. */
  admissionKeysMax: 64_000_000,
  /** Uncompressed bytes of one Parquet row group's needed columns held at once per worker. */
  parquetRowGroupBytesMax: 1024 * 1024 * 1024,
  /** Tries of one unit, the first included. */
  attemptsMax: 5,
  retryDelayMsMin: 50,
  retryDelayMsMax: 10_000,
  /** PostgreSQL cuts identifiers to this many bytes (NAMEDATALEN - 1). */
  identifierBytesMax: 63,
  /** Columns of a PostgreSQL table. */
  columnsMax: 1_600,
  progressIntervalMs: 100,
} as const;
