import { ERROR_CODES } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { STRATEGIES } from '../job/schema.ts';
import { indexReports } from './index-report-schema.ts';

/**
 * JSON Schema (draft 2020-12) of the report, as config/report.schema.json holds it. Strict: every
 * property is named, and all are required but the facts of an error. A test holds it equal to the
 * type `WrittenReport` in both directions, so it is written by hand without growing apart from it.
 */

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const maybeCount = { anyOf: [count, { type: 'null' }] } as const;
const amount = { type: 'number', minimum: 0 } as const;
const maybeAmount = { anyOf: [amount, { type: 'null' }] } as const;
const moment = { type: 'string', format: 'date-time' } as const;
const strings = { type: 'array', items: text } as const;

const errorCodes = Object.keys(ERROR_CODES) as ErrorCode[];

const errorRecord = {
  type: 'object',
  properties: {
    code: { enum: errorCodes },
    sentence: { ...text, description: 'What is wrong.' },
    remedy: { ...text, description: 'What can be done.' },
    facts: {
      type: 'object',
      properties: {
        file: text,
        line: { ...count, description: 'Line or row of the file, from 1.' },
        record: { ...count, description: 'Record of a JSON file, from 1.' },
        index: { ...count, description: 'Row in memory, from 0.' },
        column: text,
        value: text,
        table: text,
        sqlState: { ...text, description: "PostgreSQL's five-character SQLSTATE." },
        socket: { ...text, description: "The socket's error code, for example ECONNRESET." },
        constraint: text,
        limit: { type: 'number' },
        problems: strings,
      },
      required: [],
      additionalProperties: false,
    },
  },
  required: ['code', 'sentence', 'remedy', 'facts'],
  additionalProperties: false,
} as const;
const maybeError = { anyOf: [errorRecord, { type: 'null' }] } as const;

const fileReport = {
  type: 'object',
  description: 'Null: what the strategy cannot attribute to one file.',
  properties: {
    path: text,
    format: { enum: ['csv', 'tsv', 'parquet', 'json', 'jsonl', 'document'] },
    bytes: { ...count, description: 'Size on disk.' },
    rowsRead: maybeCount,
    inserted: maybeCount,
    updated: maybeCount,
    unchanged: maybeCount,
    superseded: maybeCount,
    rejected: maybeCount,
    rejects: {
      anyOf: [text, { type: 'null' }],
      description: 'Path of the file that holds the rejected rows.',
    },
    status: {
      enum: ['loaded', 'skipped', 'failed', 'not-loaded'],
      description:
        'skipped: an earlier run loaded it. not-loaded: an error or interrupt came first.',
    },
    attempts: count,
    stageMs: maybeAmount,
    waitMs: maybeAmount,
    mergeMs: maybeAmount,
    error: maybeError,
  },
  required: [
    'path',
    'format',
    'bytes',
    'rowsRead',
    'inserted',
    'updated',
    'unchanged',
    'superseded',
    'rejected',
    'rejects',
    'status',
    'attempts',
    'stageMs',
    'waitMs',
    'mergeMs',
    'error',
  ],
  additionalProperties: false,
} as const;

const totals = {
  type: 'object',
  description: 'rowsRead = inserted + updated + unchanged + superseded + rejected.',
  properties: {
    rowsRead: count,
    inserted: { ...count, description: 'The key was new.' },
    updated: { ...count, description: 'The row of the table was changed.' },
    unchanged: { ...count, description: 'The row of the table stayed as it was.' },
    superseded: { ...count, description: 'Another row with the same key won.' },
    rejected: { ...count, description: 'The row could not be loaded.' },
  },
  required: ['rowsRead', 'inserted', 'updated', 'unchanged', 'superseded', 'rejected'],
  additionalProperties: false,
} as const;

const foreseen = {
  type: 'object',
  description: 'ratio = actual / predicted. Null: not known, or not all was loaded.',
  properties: { predicted: maybeAmount, actual: maybeAmount, ratio: maybeAmount },
  required: ['predicted', 'actual', 'ratio'],
  additionalProperties: false,
} as const;

const prediction = {
  type: 'object',
  description:
    'What the plan foresaw, and what came. Predicted seconds are of the machine on which the ' +
    'cost figures were measured: they compare strategies.',
  properties: {
    seconds: foreseen,
    rows: foreseen,
    multiplicity: { ...foreseen, description: 'Rows per key, over all files.' },
    conflicts: {
      type: 'object',
      properties: {
        predicted: { ...count, description: 'Pairs of units that were thought to share keys.' },
        waitedMs: { ...maybeAmount, description: 'Staged units waited so long for earlier ones.' },
      },
      required: ['predicted', 'waitedMs'],
      additionalProperties: false,
    },
    strategies: {
      type: 'array',
      items: {
        type: 'object',
        properties: { strategy: { enum: STRATEGIES }, seconds: maybeAmount },
        required: ['strategy', 'seconds'],
        additionalProperties: false,
      },
    },
  },
  required: ['seconds', 'rows', 'multiplicity', 'conflicts', 'strategies'],
  additionalProperties: false,
} as const;

const targets = {
  type: 'array',
  description:
    'Further tables that took the same rows; absent where a load has none. rowsRead of the load = ' +
    'inserted + updated + unchanged + superseded + filtered + rejected of the load. Null: not known.',
  items: {
    type: 'object',
    properties: {
      table: text,
      inserted: maybeCount,
      updated: maybeCount,
      unchanged: maybeCount,
      superseded: maybeCount,
      filtered: { ...maybeCount, description: 'Rows that where left out.' },
    },
    required: ['table', 'inserted', 'updated', 'unchanged', 'superseded', 'filtered'],
    additionalProperties: false,
  },
} as const;

const lookups = {
  type: 'array',
  description: 'Tables that values are looked up in; absent where a load has no lookups.',
  items: {
    type: 'object',
    properties: { table: text, created: { ...count, description: 'Rows that it lacked.' } },
    required: ['table', 'created'],
    additionalProperties: false,
  },
} as const;

const unlisted = {
  type: 'array',
  description:
    'Documents that files does not list, by what came of them; absent where it lists all.',
  items: {
    type: 'object',
    properties: {
      status: fileReport.properties.status,
      files: count,
      bytes: count,
      rowsRead: maybeCount,
      inserted: maybeCount,
      updated: maybeCount,
      unchanged: maybeCount,
      superseded: maybeCount,
      rejected: maybeCount,
    },
    required: [
      'status',
      'files',
      'bytes',
      'rowsRead',
      'inserted',
      'updated',
      'unchanged',
      'superseded',
      'rejected',
    ],
    additionalProperties: false,
  },
} as const;

const loadReport = {
  type: 'object',
  properties: {
    table: text,
    key: strings,
    strategy: { enum: STRATEGIES },
    reason: { ...text, description: 'Why this strategy.' },
    concurrency: count,
    files: { type: 'array', items: fileReport },
    unlisted,
    targets,
    lookups,
    indexes: indexReports,
    totals,
    prediction,
  },
  required: ['table', 'key', 'strategy', 'reason', 'concurrency', 'files', 'totals', 'prediction'],
  additionalProperties: false,
} as const;

export const reportSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Report of an etl run',
  type: 'object',
  properties: {
    version: { const: 1 },
    runId: {
      anyOf: [text, { type: 'null' }],
      description: 'Null: the run was refused before it began; error says why.',
    },
    status: { enum: ['loaded', 'rejected-rows', 'failed', 'interrupted'] },
    startedAt: moment,
    finishedAt: moment,
    loads: { type: 'array', items: loadReport },
    resources: {
      type: 'object',
      properties: {
        rssPeakBytes: count,
        cpuUserMs: amount,
        cpuSystemMs: amount,
        connectionsPeak: count,
      },
      required: ['rssPeakBytes', 'cpuUserMs', 'cpuSystemMs', 'connectionsPeak'],
      additionalProperties: false,
    },
    throughput: {
      type: 'object',
      properties: { rowsPerSecond: amount, bytesPerSecond: amount },
      required: ['rowsPerSecond', 'bytesPerSecond'],
      additionalProperties: false,
    },
    error: maybeError,
  },
  required: [
    'version',
    'runId',
    'status',
    'startedAt',
    'finishedAt',
    'loads',
    'resources',
    'throughput',
    'error',
  ],
  additionalProperties: false,
} as const;
