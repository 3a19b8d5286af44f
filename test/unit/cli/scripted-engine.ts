import { PassThrough } from 'node:stream';
import type { Pruned } from '../../../src/check/prune.ts';
import type { Engine } from '../../../src/cli/engine.ts';
import type { World } from '../../../src/cli/world.ts';
import type { ErrorRecord } from '../../../src/errors.ts';
import type { Job } from '../../../src/job/schema.ts';
import type { Plan } from '../../../src/plan/plan-types.ts';
import type { RunEvent } from '../../../src/run/events.ts';
import type { Report, RunStatus } from '../../../src/run/report-types.ts';

/** What the commands did, and what they were told to say. The engine itself is tested elsewhere. */
export interface Scripted {
  readonly calls: string[];
  readonly engine: () => Promise<Engine>;
  readonly jobs: Job[];
  readonly options: Record<string, unknown>[];
}

export interface Script {
  readonly status?: RunStatus;
  readonly error?: ErrorRecord;
  readonly loads?: Report['loads'];
  /** Thrown by `plan`. */
  readonly planFails?: unknown;
  /** The run's report rejects. */
  readonly runFails?: Error;
  readonly onRun?: () => void;
  readonly running?: boolean;
  /** What `verify` and `doctor` find; true by default. */
  readonly sound?: boolean;
}

export function scripted(script: Script = {}): Scripted {
  const calls: string[] = [];
  const jobs: Job[] = [];
  const options: Record<string, unknown>[] = [];
  const { status = 'loaded', error = null, loads = [], running = true } = script;
  const report: Report = { ...plainReport, status, loads, error };
  const engine: Engine = {
    plan: async (job, given) => {
      calls.push('plan');
      jobs.push(job);
      options.push(given);
      if (script.planFails !== undefined) throw script.planFails as Error;
      return plainPlan;
    },
    run: (plan, given) => {
      calls.push('run');
      options.push(given);
      script.onRun?.();
      const failure = script.runFails;
      return {
        report: failure === undefined ? Promise.resolve(report) : Promise.reject(failure),
        async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent> {
          yield { kind: 'run-started', runId: report.runId, plan };
          yield { kind: 'run-finished', report };
        },
      };
    },
    history: async (request) => {
      calls.push('history');
      options.push({ ...request });
      return { version: 1, runs: [], files: null };
    },
    prune: async (request) => {
      calls.push('prune');
      options.push({ ...request });
      return plainPruned;
    },
    verify: async (job, given) => {
      calls.push('verify');
      jobs.push(job);
      options.push({ ...given });
      return { version: 1, equal: script.sound ?? true, tables: [] };
    },
    doctor: async (job, given) => {
      calls.push('doctor');
      jobs.push(job);
      options.push({ ...given });
      return { version: 1, ok: script.sound ?? true, checks: [] };
    },
    startEmbedded: async ({ mode }) => {
      calls.push(`start ${mode}`);
      const release = async () => void calls.push('release');
      const url = 'postgres:///etl?host=/run/x';
      return { url, pid: 7, startedHere: !running, version: '18.4', release };
    },
    stopEmbedded: async () => {
      calls.push('stop');
      return running;
    },
    embeddedStatus: async (home) => ({
      state: running ? 'running' : 'stopped',
      home,
      dataDir: `${home}/data`,
      logPath: `${home}/log`,
      url: 'postgres:///etl?host=/run/x',
      pid: running ? 7 : null,
      startedAt: null,
      standing: true,
      version: '18.4',
      bytes: 3 * 1024 * 1024,
    }),
    embeddedHome: (env) => env['ETL_EMBEDDED_DIR'] ?? '/home/me/etl',
  };
  return { calls, jobs, options, engine: async () => engine };
}

export function worldOf(
  env: Record<string, string> = {},
  cwd = '/home/me',
): { world: World; out: () => string; err: () => string; interrupt: AbortController } {
  const interrupt = new AbortController();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const textOf = (stream: PassThrough) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return () => text;
  };
  const out = textOf(stdout);
  const err = textOf(stderr);
  return { world: { env, stdout, stderr, cwd, signal: interrupt.signal }, out, err, interrupt };
}

const plainPruned: Pruned = {
  version: 1,
  ledgerSchema: 'etl',
  dryRun: true,
  before: '2026-01-01T00:00:00.000Z',
  forgotten: { replaced: 1200, gone: 3, tableGone: 0 },
  kept: { there: 7, unseen: 2, last: 1 },
  runs: 4,
  unseenTables: ['app.orders'],
};

const plainPlan: Plan = {
  version: 1,
  planId: '0123456789abcdef',
  createdAt: '2026-01-01T00:00:00.000Z',
  server: {
    versionNumber: 180_004,
    version: '18.4',
    database: 'etl',
    user: 'me',
    address: '/run/x',
    encoding: 'UTF8',
    maxConnections: 100,
    connectionsUsed: 1,
    maxPreparedTransactions: 0,
    inRecovery: false,
    embedded: true,
  },
  settings: {
    threads: 'auto',
    concurrency: 2,
    chunkSize: 1,
    subBatchSize: 1,
    conflictDetection: true,
    deterministic: true,
    performanceMonitoring: true,
    checkSuperseded: false,
    onError: 'stop',
    maxErrors: null,
    keepSuperseded: null,
    rejects: '/job/rejects',
    ledgerSchema: 'etl',
    timeZone: 'UTC',
    lockTimeoutMs: 1,
    statementTimeoutMs: 1,
    session: {},
    expansionRatioMax: 1,
    connectTimeoutMs: 1,
    idleTimeoutMs: 0,
    wait: 0,
  },
  session: [],
  loads: [],
};

const plainReport: Report = {
  version: 1,
  runId: 'run-1',
  status: 'loaded',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:01.000Z',
  loads: [],
  resources: { rssPeakBytes: 1, cpuUserMs: 1, cpuSystemMs: 1, connectionsPeak: 1 },
  throughput: { rowsPerSecond: 1, bytesPerSecond: 1 },
  error: null,
};
