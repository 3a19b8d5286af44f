import { STRATEGIES } from '../src/job/schema.ts';
import { GOALS } from './goals.ts';
import {
  amount,
  count,
  flag,
  maybeAmount,
  maybeCount,
  maybeText,
  moment,
  nothing,
  strictObject,
  text,
} from '../src/report/schema-forms.ts';

/**
 * JSON Schema (draft 2020-12) of `results.json`, as config/benchmark.schema.json holds it. Strict: every
 * property is named. A test holds it equal to the type `BenchmarkResults` in both directions, so it is
 * written by hand without growing apart from it.
 */

const goals = Object.keys(GOALS) as (keyof typeof GOALS)[];

const certificate = strictObject(
  {
    startedAt: moment,
    finishedAt: moment,
    suite: text,
    seed: { ...count, description: 'Of the generated data.' },
    machine: strictObject({ platform: text, cpu: text, cores: count, memoryBytes: count }),
    node: text,
    etl: text,
    commit: { ...maybeText, description: 'Of the checkout; null where it is none.' },
    server: strictObject({
      version: text,
      embedded: flag,
      settings: {
        type: 'object',
        description: 'shared_buffers, max_wal_size, fsync, synchronous_commit and others.',
        additionalProperties: text,
      },
    }),
  },
  { description: 'Where the results were born.' },
);

const span = strictObject(
  {
    file: text,
    phase: { enum: ['stage', 'wait', 'merge'] },
    fromMs: amount,
    toMs: amount,
  },
  { description: 'Milliseconds since the start of the run.' },
);

const run = strictObject({
  warmUp: { ...flag, description: 'Kept, but in no median.' },
  wallMs: amount,
  clientCpuMs: {
    ...maybeAmount,
    description: 'Of the process with its threads and children; null: it cannot tell.',
  },
  serverCpuMs: { ...maybeAmount, description: 'Null where the server is not local.' },
  rssPeakBytes: maybeCount,
  connectionsPeak: maybeCount,
  walBytes: maybeCount,
  lockWaits: {
    ...maybeCount,
    description: 'Waits on locks seen by sampling: one for each session and sample.',
  },
  correct: { ...flag, description: 'Whether the table was the one that arithmetic foretells.' },
  digest: text,
  predicted: strictObject(
    {
      'full-parallel': amount,
      hybrid: amount,
      sequential: amount,
      partitioned: amount,
    },
    {
      description: 'Seconds that the plan predicted for each strategy; empty for peers.',
      optional: ['full-parallel', 'hybrid', 'sequential', 'partitioned'],
    },
  ),
  timeline: { type: 'array', items: span },
});

const benchmarkCase = strictObject(
  {
    scenario: text,
    contender: { ...text, description: 'etl, or the name of a peer.' },
    strategy: {
      anyOf: [{ enum: STRATEGIES }, { const: 'auto' }, nothing],
      description: 'What was asked of etl; null for peers.',
    },
    chosen: { anyOf: [{ enum: STRATEGIES }, nothing], description: 'What auto chose.' },
    concurrency: maybeCount,
    rows: count,
    bytes: count,
    runs: { type: 'array', items: run },
    skipped: { ...maybeText, description: 'Why there are no runs.' },
  },
  { description: 'One contender on one scenario.' },
);

const ratio = strictObject(
  {
    name: text,
    metric: { enum: ['wall', 'client CPU', 'total CPU', 'peak RSS', 'WAL', 'lock waits'] },
    goal: { anyOf: [{ enum: goals }, nothing], description: 'What it is a part of.' },
    value: amount,
    reach: { ...maybeAmount, description: 'Largest value that reaches the goal.' },
  },
  { description: 'Of medians of two cases of a scenario.' },
);

const load = strictObject({
  rows: count,
  wallMs: amount,
  cpuMs: maybeAmount,
  rssPeakBytes: count,
  connectionsPeak: maybeCount,
});

const example = strictObject(
  {
    name: text,
    size: { enum: ['small', 'full'] },
    reported: strictObject({
      sentence: text,
      rows: { ...text, description: 'What the team counted, in plural.' },
      msPerRow: amount,
      msPerRowBefore: maybeAmount,
      msPerRowWanted: maybeAmount,
      rssPeakBytes: maybeCount,
    }),
    figures: {
      type: 'array',
      items: strictObject(
        { what: text, value: { type: 'number' }, unit: text, reported: text, load },
        { optional: ['reported', 'load'] },
      ),
    },
    connectionsPeak: maybeCount,
    serverCpuMs: maybeAmount,
    failed: { ...maybeText, description: 'Why there are no figures.' },
  },
  { description: 'A real job, beside what its team had reported.' },
);

export const resultsSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Results of etl benchmark',
  ...strictObject(
    {
      version: { const: 1 },
      certificate,
      cases: { type: 'array', items: benchmarkCase },
      ratios: { type: 'array', items: ratio },
      examples: {
        type: 'array',
        items: example,
        description: 'Where they were asked for.',
      },
    },
    { optional: ['examples'] },
  ),
} as const;
