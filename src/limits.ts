/** A limit on everything, the limits together; units last in the name. */
export const LIMITS = {
  /** Files of one run, after globbing. */
  filesMax: 1_000_000,
  /** A job file: its size, how deeply it nests, and how many loads it holds. */
  jobFileBytesMax: 16 * 1024 * 1024,
  jobDepthMax: 32,
  loadsMax: 10_000,
  /** Further tables that take the rows of one load. */
  targetsMax: 20,
  /** Columns of one load that are looked up. */
  lookupsMax: 20,
  /** Indexes that a load asks for, and columns of one (PostgreSQL's own limit). */
  indexesMax: 100,
  indexColumnsMax: 32,
  /** Problems of a job file that one message lists. */
  jobProblemsMax: 100,
  /** Rows of one unit of a split file, and rows that the row path holds at once. */
  chunkRowsMax: 1_000_000_000,
  subBatchRowsMax: 1_000_000,
  /** Lines skipped before a CSV header. */
  skipLinesMax: 1_000_000,
  /** Of an idle line, before TCP probes it; and what a server has to take leave. */
  keepAliveDelayMs: 30_000,
  goodbyeMs: 5_000,
  /** Answers of the server that a session keeps. */
  sessionAnswersMax: 1_000,
  /** Longest wait for another run on the table, and the time between two looks. */
  waitSecondsMax: 7 * 24 * 60 * 60,
  waitLookMs: 500,
  /** PostgreSQL keeps its timeouts in 32 bits. */
  timeoutMsMax: 2_147_483_647,
  /** Threads and connections of one run. */
  concurrencyMax: 64,
  /** Rows in memory that are upserted: text held, and rows and bytes of a file that they are spooled to. */
  spoolBlockBytes: 256 * 1024,
  spoolFileRowsMax: 100_000,
  spoolFileBytesMax: 32 * 1024 * 1024,
  /** Rows of a call of upsert that are planned without a sample where their tables are there. */
  upsertUnsampledRowsMax: 10_000,
  /** Rejected rows that a call of upsert lists. */
  rejectedRowsToldMax: 10_000,
  rowsNameCharactersMax: 1_000,
  /** Rows, and bytes on disk, of a load that needs no threads (see run/choose-pool.ts). */
  inProcessRowsMax: 50_000,
  inProcessBytesMax: 16 * 1024 * 1024,
  inProcessTransformedRowsMax: 1_000,
  /** Rows sampled of one file, and of all files of a load. */
  sampleRowsPerFileMax: 20_000,
  sampleRowsPerLoadMax: 400_000,
  /** Bytes read of one file for its sample. */
  sampleBytesPerFileMax: 8 * 1024 * 1024,
  /** Pairs of files counted for one sampled key, pairs told apart, and pairs that a plan keeps. */
  overlapPairsPerKeyMax: 120,
  overlapPairsCountedMax: 1_000_000,
  planPairsMax: 10_000,
  /** Bytes of one CSV header record. */
  headerBytesMax: 1024 * 1024,
  /** Different headers that one load keeps, so that files with the same one need not parse it. */
  headersKeptMax: 64,
  /** Bytes of one CSV record; PostgreSQL itself refuses a field above 1 GB. */
  recordBytesMax: 1024 * 1024 * 1024,
  /** Bytes of one record of a JSON file (a value of jsonb has as many at most), and how deep it nests. */
  jsonRecordBytesMax: 256 * 1024 * 1024,
  jsonDepthMax: 1_000,
  /** Bytes of one record of a file whose bad rows are being sifted out, and of it in a reject file. */
  siftRecordBytesMax: 64 * 1024 * 1024,
  rejectedTextBytesMax: 1024 * 1024,
  /**
   * A file that is copied into the table itself although it may hold bad rows: bytes of one COPY, and bad
   * rows of a unit beyond which it is staged instead.
   */
  directBlockBytes: 2 * 1024 * 1024,
  directRejectedRowsMax: 100,
  /** Bytes of a reject file whose corrected rows are loaded; they are held at once. */
  correctedBytesMax: 256 * 1024 * 1024,
  /** Rows that are found at once to be what a constraint refuses, and characters of a reason. */
  refusedRowsHeldMax: 10_000,
  rejectReasonMax: 2_000,
  /** Read size from files. */
  readChunkBytes: 1024 * 1024,
  /** A file that is read as one piece: its bytes on disk, and decompressed. */
  wholeFileBytesMax: 256 * 1024,
  wholeContentBytesMax: 4 * 1024 * 1024,
  /** Small files of one COPY are sent in blocks of about this size. */
  groupBlockBytes: 64 * 1024,
  /** A unit of work groups whole small files up to this many bytes and files. */
  unitGroupBytesMax: 8 * 1024 * 1024,
  unitGroupFilesMax: 1_000,
  /** The same of documents, which share one COPY. */
  unitDocumentsBytesMax: 64 * 1024 * 1024,
  unitDocumentsMax: 4_000,
  /** Bytes of one document; those that are read ahead of what is sent; files open at once. */
  documentBytesMax: 256 * 1024 * 1024,
  documentWindowBytes: 256 * 1024,
  documentsOpenMax: 16,
  /** A large file is split into parts of no less than this; parts of all files of a load. */
  splitPartBytesMin: 8 * 1024 * 1024,
  splitPartsMax: 128,
  /** Units not yet started whose key ranges admission looks at before it asks for keys. */
  admissionLookaheadUnitsMax: 256,
  /** Key hashes (8 bytes each) that the coordinator may hold for admission. */
  admissionKeysMax: 64_000_000,
  /** Keys (32 bytes each) held to find superseded rows before they are sent. */
  supersededKeysMax: 4_000_000,
  /** Records (some 40 bytes each) that are compared with a table's rows, and bytes of one of them. */
  comparedRecordsMax: 4_000_000,
  comparedRowsMin: 10_000,
  comparedRecordBytesMax: 16 * 1024 * 1024,
  /**
   * How many times its size on disk a file may decode to, by default and at most; and what it may
   * decode to before anybody counts: text, and values of Parquet, which repeats them for nothing.
   */
  expansionRatioMax: 700,
  expansionRatioCeiling: 1_000_000,
  expansionTextBytesMin: 64 * 1024 * 1024,
  expansionParquetBytesMin: 4 * 1024 * 1024 * 1024,
  /** Uncompressed bytes of one Parquet row group's needed columns held at once per worker. */
  parquetRowGroupBytesMax: 1024 * 1024 * 1024,
  /** Bytes that one reader of a Parquet file keeps, to read and decode its next pages into. */
  parquetReusedBytesMax: 64 * 1024 * 1024,
  /** Bytes of a Parquet footer. */
  parquetFooterBytesMax: 256 * 1024 * 1024,
  /** Characters of the rows that a transform gets at once; the row that goes beyond is the last. */
  transformBatchCharactersMax: 16 * 1024 * 1024,
  /** Bytes of a document that goes through a transform. */
  transformedDocumentBytesMax: 64 * 1024 * 1024,
  /** Modules in TypeScript that are kept as JavaScript, and that one transform is made of. */
  compiledModulesMax: 1_000,
  /** Rows, fields and bytes of one batch of decoded Parquet rows. */
  parquetBatchRowsMax: 8_192,
  parquetBatchFieldsMax: 1_000_000,
  parquetBatchBytesMax: 16 * 1024 * 1024,
  /** How long, and how often, a run looks for sessions that an earlier one has left at work. */
  orphanWaitMs: 30_000,
  orphanLookMs: 100,
  /** How long a run waits for others who use the ledger, to extend it. */
  ledgerLockMs: 1_000,
  /** Tries of one unit, the first included. */
  attemptsMax: 5,
  retryDelayMsMin: 50,
  retryDelayMsMax: 10_000,
  /** PostgreSQL cuts identifiers to this many bytes (NAMEDATALEN - 1). */
  identifierBytesMax: 63,
  /** Columns of a PostgreSQL table. */
  columnsMax: 1_600,
  /** Characters of one value of `settings.session`. */
  sessionValueMax: 1_000,
  /** Between two checks that no message between threads was lost. */
  sessionCheckMs: 5_000,
  progressIntervalMs: 100,
  /** Events of a run that are kept while nobody reads them. */
  eventsKeptMax: 10_000,
  /** Between two lines with the totals where progress is plain lines. */
  progressTotalIntervalMs: 5_000,
  /** Lines about single files that loaded well; the rest is only counted. */
  progressFileLinesMax: 1_000,
  progressBarsMax: 12,
  /** Lines that the plan and the summary show; JSON has everything. */
  planFilesShownMax: 60,
  planPairsShownMax: 10,
  planEdgesShownMax: 20,
  planRunsShownMax: 5,
  summaryFilesShownMax: 40,
  errorsShownMax: 20,
  /** Documents of one load that a report lists; the others are counted. */
  reportDocumentsMax: 1_000,
  /**
   * Files that one statement writes to the ledger, or for `etl history`; and runs and files that it shows.
   */
  recordedFilesPerStatement: 10_000,
  historyRunsMax: 10_000,
  historyFilesMax: 10_000,
  /** `etl history --prune`: days, and files of a table that are looked for to see whether any is there. */
  pruneDaysMax: 36_500,
  pruneLooksMax: 1_000,
  /** Keys that `etl verify` compares at a time, differences that it lists, characters of a value. */
  verifyRangeKeys: 100_000,
  verifyDifferencesMax: 20,
  verifyValueCharactersMax: 200,
  /**
   * `etl serve`: jobs that it serves, finished uploads that it remembers and characters of their reports,
   * files and bytes that one run loads together, and below so many bytes by one worker.
   */
  serveJobsMax: 1_000,
  serveUploadsKeptMax: 10_000,
  serveReportCharactersMax: 16 * 1024 * 1024,
  serveBatchFilesMax: 1_000,
  serveBatchBytesMax: 256 * 1024 * 1024,
  serveSmallBatchBytesMax: 16 * 1024 * 1024,
  /** Workers of one of its runs where the job leaves their number to the engine. */
  serveWorkersMax: 4,
  /** How long a run waits for uploads that are being received, and how often while they come. */
  serveGatherMs: 10,
  serveGatherLooksMax: 5,
  /** How long sessions of the database are kept for a run that may come. */
  serveSessionKeptMs: 30_000,
  /** Files of one request, followers of all uploads, and sockets. */
  serveFilesPerRequestMax: 100,
  /** Of the headers that a job was sent, as they are kept. */
  serveHeaderCharactersMax: 64 * 1024,
  serveFollowersMax: 1_000,
  serveSocketsMax: 4_096,
  /** Silence of a body, and time for the whole of it; time for the head of a request. */
  serveBodyIdleMs: 30_000,
  serveBodyMs: 30 * 60_000,
  serveHeadMs: 15_000,
  /** What is read, and how long, of a body that is refused, so that its sender reads the answer. */
  serveRefusedBytesMax: 32 * 1024 * 1024,
  serveRefusedMs: 2_000,
  /** Longest wait of a request for the end of its upload; by default, in seconds. */
  serveWaitSecondsMax: 600,
  serveWaitSeconds: 30,
  /** Between two tries while the surroundings fail; between two signs of life to a follower. */
  serveRetryMsMin: 1_000,
  serveRetryMsMax: 30_000,
  serveHeartbeatMs: 15_000,
  /** How long an answer on whether the databases can be reached is good for. */
  serveReadyMs: 2_000,
  /** Characters of an Idempotency-Key, and how long it stands for the same upload. */
  serveKeyCharactersMax: 200,
  serveKeyMs: 24 * 60 * 60_000,
  /** Characters of a file's name that a client gives. */
  serveNameCharactersMax: 200,
  /** A benchmark: runs of one contender, rows of a scenario, spans of a run's timeline. */
  benchmarkRunsMax: 100,
  benchmarkRowsMax: 2_000_000_000,
  benchmarkSpansMax: 2_000,
  /** Between two looks at the sessions of a measured run. */
  benchmarkSampleIntervalMs: 50,
} as const;
