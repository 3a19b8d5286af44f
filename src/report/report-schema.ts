import { ERROR_CODES } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { STRATEGIES } from '../job/schema.ts';
import { indexReports } from './index-report-schema.ts';
import {
  amount,
  count,
  maybeAmount,
  maybeCount,
  maybeText,
  moment,
  nothing,
  strictObject,
  text,
} from './schema-forms.ts';

/**
 * JSON Schema (draft 2020-12) of the report, as config/report.schema.json holds it. Strict: every
 * property is named, and all are required but the facts of an error. A test holds it equal to the
 * type `WrittenReport` in both directions, so it is written by hand without growing apart from it.
 */

const strings = { type: 'array', items: text } as const;

const errorCodes = Object.keys(ERROR_CODES) as ErrorCode[];

const facts = {
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
  settings: {
    type: 'array',
    items: strictObject({ flag: text, field: text }),
    description: 'Settings that the remedy names, by their flags and by their fields in a job.',
  },
} as const;

const errorRecord = strictObject({
  code: { enum: errorCodes },
  sentence: { ...text, description: 'What is wrong.' },
  remedy: { ...text, description: 'What can be done.' },
  facts: strictObject(facts, { optional: Object.keys(facts) as (keyof typeof facts)[] }),
});
const maybeError = { anyOf: [errorRecord, nothing] } as const;

const knownCounts = {
  rowsRead: maybeCount,
  inserted: maybeCount,
  updated: maybeCount,
  unchanged: maybeCount,
  superseded: maybeCount,
  rejected: maybeCount,
} as const;

const fileReport = strictObject(
  {
    path: text,
    format: { enum: ['csv', 'tsv', 'parquet', 'json', 'jsonl', 'document'] },
    bytes: { ...count, description: 'Size on disk.' },
    ...knownCounts,
    rejects: { ...maybeText, description: 'Path of the file that holds the rejected rows.' },
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
  { description: 'Null: what the strategy cannot attribute to one file.' },
);

const totals = strictObject(
  {
    rowsRead: count,
    inserted: { ...count, description: 'The key was new.' },
    updated: { ...count, description: 'The row of the table was changed.' },
    unchanged: { ...count, description: 'The row of the table stayed as it was.' },
    superseded: { ...count, description: 'Another row with the same key won.' },
    rejected: { ...count, description: 'The row could not be loaded.' },
  },
  { description: 'rowsRead = inserted + updated + unchanged + superseded + rejected.' },
);

const foreseen = strictObject(
  { predicted: maybeAmount, actual: maybeAmount, ratio: maybeAmount },
  { description: 'ratio = actual / predicted. Null: not known, or not all was loaded.' },
);

const prediction = strictObject(
  {
    seconds: foreseen,
    rows: foreseen,
    multiplicity: { ...foreseen, description: 'Rows per key, over all files.' },
    conflicts: strictObject({
      predicted: { ...count, description: 'Pairs of units that were thought to share keys.' },
      waitedMs: { ...maybeAmount, description: 'Staged units waited so long for earlier ones.' },
    }),
    strategies: {
      type: 'array',
      items: strictObject({ strategy: { enum: STRATEGIES }, seconds: maybeAmount }),
    },
  },
  {
    description:
      'What the plan foresaw, and what came. Predicted seconds are of the machine on which the ' +
      'cost figures were measured: they compare strategies.',
  },
);

const targets = {
  type: 'array',
  description:
    'Further tables that took the same rows; absent where a load has none. rowsRead of the load = ' +
    'inserted + updated + unchanged + superseded + filtered + rejected of the load. Null: not known.',
  items: strictObject({
    table: text,
    inserted: maybeCount,
    updated: maybeCount,
    unchanged: maybeCount,
    superseded: maybeCount,
    filtered: { ...maybeCount, description: 'Rows that where left out.' },
  }),
} as const;

const lookups = {
  type: 'array',
  description: 'Tables that values are looked up in; absent where a load has no lookups.',
  items: strictObject({ table: text, created: { ...count, description: 'Rows that it lacked.' } }),
} as const;

const unlisted = {
  type: 'array',
  description:
    'Documents that files does not list, by what came of them; absent where it lists all.',
  items: strictObject({
    status: fileReport.properties.status,
    files: count,
    bytes: count,
    ...knownCounts,
  }),
} as const;

const loadReport = strictObject(
  {
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
  { optional: ['unlisted', 'targets', 'lookups', 'indexes'] },
);

export const reportSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Report of an etl run',
  ...strictObject({
    version: { const: 1 },
    runId: {
      ...maybeText,
      description: 'Null: the run was refused before it began; error says why.',
    },
    status: { enum: ['loaded', 'rejected-rows', 'failed', 'interrupted'] },
    startedAt: moment,
    finishedAt: moment,
    loads: { type: 'array', items: loadReport },
    resources: strictObject({
      rssPeakBytes: count,
      cpuUserMs: amount,
      cpuSystemMs: amount,
      connectionsPeak: count,
    }),
    throughput: strictObject({ rowsPerSecond: amount, bytesPerSecond: amount }),
    error: maybeError,
  }),
} as const;
