import * as z from 'zod';
import { LIMITS } from '../limits.ts';
import { documentsSchema } from './document-schema.ts';
import { indexSchema } from './index-schema.ts';
import { lookupSchema } from './lookup-schema.ts';
import { targetSchema } from './target-schema.ts';
import { transformSchema } from './transform-request.ts';

/**
 * What a job may ask for. This one schema is the source of validation, of the JSON Schema in
 * config/, of the command line's flags and of the README's tables.
 */

export const STRATEGIES = ['full-parallel', 'hybrid', 'sequential', 'partitioned'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** A parameter of PostgreSQL, or of an extension (`auto_explain.log_min_duration`), in lower case. */
const PARAMETER_NAME = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?$/;

/** `5%`, `0.5%`, up to `100%`. */
const PERCENT = /^(?:100|\d{1,2}(?:\.\d{1,4})?)%$/;

const name = z.string().min(1);
const timeoutMs = z.int().max(LIMITS.timeoutMsMax);
const description = z
  .string()
  .optional()
  .describe('Free text for whoever reads the job file; JSON has no comments.');

export const csvSchema = z.strictObject({
  delimiter: z
    .string()
    .min(1)
    .max(16)
    .nullable()
    .default(null)
    .describe('Field delimiter; by default comma, semicolon, tab or bar, as the header shows.'),
  quote: z
    .string()
    .length(1)
    .nullable()
    .default('"')
    .describe('Quote character; null, or an empty flag, for none.'),
  escape: z
    .string()
    .length(1)
    .nullable()
    .default(null)
    .describe('Escape character inside quotes; by default the quote character doubled.'),
  null: z
    .string()
    .default('')
    .describe('Unquoted text that stands for NULL; a quoted empty field is an empty string.'),
  encoding: name
    .default('utf8')
    .describe(
      'Encoding of the file: utf8, utf16le, or any that PostgreSQL knows (latin1, win1252).',
    ),
  header: z
    .boolean()
    .default(true)
    .describe("Whether the first record names the columns; without it the table's order is taken."),
  skipLines: z
    .int()
    .min(0)
    .max(LIMITS.skipLinesMax)
    .default(0)
    .describe('Lines to skip before the header.'),
  comment: z
    .string()
    .length(1)
    .nullable()
    .default(null)
    .describe('Character that starts a comment line.'),
  trim: z.boolean().default(false).describe('Trim white space around unquoted fields.'),
});
export type CsvOptions = z.infer<typeof csvSchema>;

/** A JSON pointer (RFC 6901), the empty one included. */
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;

export const jsonSchema = z.strictObject({
  records: z
    .string()
    .regex(POINTER)
    .nullable()
    .default(null)
    .describe(
      'JSON pointer to the array of records inside of a value (/releases); by default an array is its elements, and else each value a record.',
    ),
  columns: z
    .record(name, z.string().regex(POINTER))
    .default({})
    .describe(
      'Columns of a JSON file and the pointers to their values (/buyer/name; empty for the record itself); by default the fields of the sampled records.',
    ),
});
export type JsonOptions = z.infer<typeof jsonSchema>;

export const loadSchema = z.strictObject({
  description,
  files: z.array(name).min(1).describe('Paths and globs (with **), in order of precedence.'),
  table: name.describe('Target table, [schema.]name.'),
  key: z
    .array(name)
    .min(1)
    .nullable()
    .default(null)
    .describe('Key columns; default: the primary key of the table.'),
  onConflict: z
    .enum(['update', 'ignore', 'newest', 'append'])
    .default('update')
    .describe('Which row stays when a key comes again: the last, the first, the newest, or all.'),
  versionColumn: name
    .nullable()
    .default(null)
    .describe('Column that says which row is newer (with onConflict newest).'),
  insertOnly: z
    .array(name)
    .min(1)
    .nullable()
    .default(null)
    .describe('Columns that are written when a row is inserted and never changed (created_at).'),
  compare: z
    .array(name)
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'Columns that alone say whether a row has changed: a row that differs only in others is left as it is (with onConflict update).',
    ),
  order: z
    .enum(['name', 'mtime', 'listed'])
    .default('name')
    .describe(
      'Precedence among the files of one pattern: natural order of path, age, or as listed.',
    ),
  strategy: z
    .enum(['auto', ...STRATEGIES])
    .default('auto')
    .describe('How to load in parallel.'),
  columns: z
    .record(name, name.nullable())
    .default({})
    .describe('Column of the file to column of the table; null leaves a column out.'),
  types: z
    .record(name, name)
    .default({})
    .describe('SQL types of columns of a table that is created.'),
  compression: z
    .record(name, z.enum(['lz4', 'pglz', 'none', 'fast']))
    .default({})
    .describe(
      'How large values of columns of a table that is created are kept: lz4, pglz, none, or fast (lz4 where the server has that, else none); by default as the server does, and contents of documents by lz4 where it has that. Of a table that exists the plan says how to change it.',
    ),
  transform: transformSchema,
  createTable: z.boolean().default(true).describe('Create the table where it is missing.'),
  indexes: z
    .array(indexSchema)
    .max(LIMITS.indexesMax)
    .default([])
    .describe(
      'Indexes that the table is to have; made where they are missing, once the rows are loaded: {columns, unique, method, where, name}.',
    ),
  lookups: z
    .array(lookupSchema)
    .max(LIMITS.lookupsMax)
    .default([])
    .describe(
      'Columns of the files that stand for a row of another table, whose id the target gets: {column, table, match, id, into, fold, insertMissing, set, required}.',
    ),
  targets: z
    .array(targetSchema)
    .max(LIMITS.targetsMax)
    .default([])
    .describe(
      'Further tables that take the same rows, in the same transaction, in this order: {table, key, onConflict, versionColumn, columns, types, where}.',
    ),
  csv: csvSchema.prefault({}).describe('CSV dialect.'),
  json: jsonSchema.prefault({}).describe('Where JSON files have their records and columns.'),
  documents: documentsSchema.prefault({}).describe('Files of which each is one row.'),
});
export type LoadRequest = z.infer<typeof loadSchema>;

/** The six original settings keep their names; the defaults are the production values. */
export const settingsSchema = z.strictObject({
  concurrency: z
    .union([z.literal('auto'), z.int().min(1).max(LIMITS.concurrencyMax)])
    .default('auto')
    .describe('Workers, with one connection each.'),
  threads: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe('Whether workers run in threads: where a load is large (auto), always, or never.'),
  chunkSize: z
    .int()
    .min(1)
    .max(LIMITS.chunkRowsMax)
    .default(100_000)
    .describe('Rows of one unit of work when a large file is split.'),
  subBatchSize: z
    .int()
    .min(1)
    .max(LIMITS.subBatchRowsMax)
    .default(10_000)
    .describe(
      'Rows that the row path (a transform, dialects that COPY lacks, Parquet pages) handles at once.',
    ),
  conflictDetection: z.boolean().default(true).describe('Sample the keys to choose the strategy.'),
  deterministic: z
    .boolean()
    .default(true)
    .describe('Prove before each merge that the table will end as a sequential load leaves it.'),
  performanceMonitoring: z
    .boolean()
    .default(true)
    .describe('Measure memory, CPU and throughput for the report.'),
  checkSuperseded: z
    .boolean()
    .default(false)
    .describe(
      'Send rows that another row supersedes to the server, too, so that it checks their values.',
    ),
  onError: z
    .enum(['stop', 'quarantine'])
    .default('stop')
    .describe('What a bad row does: it stops its file, or it goes to a reject file.'),
  maxErrors: z
    .union([z.int().min(0).max(LIMITS.chunkRowsMax), z.string().regex(PERCENT), z.null()])
    .default(null)
    .describe(
      'Bad rows that one file may have with onError quarantine: a number, or a share (5%).',
    ),
  rejects: name
    .default('rejects')
    .describe('Folder of the reject files, one per input that has bad rows.'),
  keepSuperseded: name
    .nullable()
    .default(null)
    .describe(
      'Folder for the rows that lost to another row of the files, one file per input: which row of which file stays instead. The files are read again for it.',
    ),
  ledgerSchema: name.default('etl').describe('Schema of the ledger in the target database.'),
  timeZone: name
    .default('UTC')
    .describe('Time zone of the sessions: decides what a timestamp without a zone means.'),
  lockTimeoutMs: timeoutMs.min(0).default(60_000).describe('lock_timeout of a merge; 0 for none.'),
  statementTimeoutMs: timeoutMs.min(0).default(0).describe('statement_timeout; 0 for none.'),
  session: z
    .record(
      z.string().regex(PARAMETER_NAME),
      z.union([z.string().max(LIMITS.sessionValueMax), z.number(), z.boolean()]),
    )
    .default({})
    .describe(
      'Parameters of PostgreSQL for the sessions that load (work_mem, temp_buffers …); they win over what the engine chooses.',
    ),
  expansionRatioMax: z
    .int()
    .min(1)
    .max(LIMITS.expansionRatioCeiling)
    .default(LIMITS.expansionRatioMax)
    .describe('How many times its size a compressed file may grow to; more is refused as a bomb.'),
  connectTimeoutMs: timeoutMs.min(1).default(10_000).describe('Time limit for connecting.'),
  idleTimeoutMs: timeoutMs
    .min(0)
    .default(60_000)
    .describe(
      'How long an answer may take before the server is asked, by another connection, whether it works on it; 0 for never.',
    ),
  wait: z
    .int()
    .min(0)
    .max(LIMITS.waitSecondsMax)
    .default(0)
    .describe('Seconds to wait while another run loads the table; 0: end at once, exit code 2.'),
});
export type Settings = z.infer<typeof settingsSchema>;

export const jobSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors.'),
  description,
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .nullable()
    .default(null)
    .describe('postgres:// URL; default DATABASE_URL, PG…, else the embedded server.'),
  settings: settingsSchema.prefault({}),
  loads: z
    .array(loadSchema)
    .min(1)
    .max(LIMITS.loadsMax)
    .describe('What to load, one after another.'),
});
export type Job = z.infer<typeof jobSchema>;
