import { EtlError, type ErrorFacts } from '../../src/errors.ts';
import type { RunEvent } from '../../src/run/events.ts';
import { runFilePipeline } from '../../src/run/file-pipeline.ts';
import type { FilePipelineOptions } from '../../src/run/file-pipeline-options.ts';
import type { MergedUnit, StagedUnit, UnitSession } from '../../src/load/unit-session.ts';

/**
 * Sessions under the test's control: each step waits until the test ends it. What the steps mean for
 * a table is for test/simulation; here it is about which step is taken when.
 */
interface Step {
  readonly name: string;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export interface Bench {
  readonly outcomes: ReturnType<typeof runFilePipeline>;
  /** All that happened: steps begun (`0.stage`, `0#2.stage` in a second try), closes, sleeps. */
  readonly log: string[];
  readonly events: RunEvent[];
  readonly clock: { ms: number };
  readonly abort: AbortController;
  end(name: string, result?: unknown): Promise<void>;
  fail(name: string, facts?: ErrorFacts): Promise<void>;
  /** Resolves what is under way, and what follows, until nothing is. */
  endAll(): Promise<void>;
}

export const LOST: ErrorFacts = { socket: 'ECONNRESET' };

export function startBench(
  unitFiles: readonly (readonly number[])[],
  options: Partial<FilePipelineOptions> = {},
  direct: readonly number[] = [],
): Bench {
  const log: string[] = [];
  const events: RunEvent[] = [];
  const pending = new Map<string, Step>();
  const abort = new AbortController();
  const begin = <T>(name: string): Promise<T> => {
    // Several sleeps may be under way: sleep, sleep+, and so on.
    if (pending.has(name)) return begin(`${name}+`);
    log.push(name);
    return new Promise<T>((resolve, reject) => pending.set(name, { name, resolve, reject }));
  };
  const clock = { ms: 0 };
  const outcomes = runFilePipeline({
    load: {
      files: unitFiles.flat().map((file) => ({ name: `f${file}.csv`, path: `/data/f${file}.csv` })),
      units: unitFiles.map((files, ordinal) => ({
        ordinal,
        files,
        part: null,
        estimatedRows: 1,
        bytes: 1,
        range: null,
        ...(direct.includes(ordinal) ? { direct: { column: 'id', from: null, before: null } } : {}),
      })),
      conflicts: [],
    },
    loadIndex: 3,
    workers: {
      open({ ordinal }, attempt, isDirect): UnitSession {
        const name = attempt === 1 ? String(ordinal) : `${ordinal}#${attempt}`;
        log.push(`${name}.open${isDirect ? ' direct' : ''}`);
        return {
          stage: () => begin(`${name}.stage`),
          exportKeys: () => begin(`${name}.keys`),
          merge: () => begin(`${name}.merge`),
          close: () => begin(`${name}.close`),
        };
      },
    },
    admissionMode: 'ordered',
    concurrency: 2,
    signal: abort.signal,
    now: () => clock.ms,
    random: () => 0.5,
    sleep: () => begin('sleep'),
    onEvent: (event) => events.push(event),
    ...options,
  });
  // A rejection is looked at by the test that expects it.
  outcomes.catch(() => undefined);

  const take = (name: string): Step => {
    const step = pending.get(name);
    if (step === undefined) throw new Error(`${name} is not under way; log: ${log.join(' ')}`);
    pending.delete(name);
    return step;
  };
  const bench: Bench = {
    outcomes,
    clock,
    log,
    events,
    abort,
    async end(name, result) {
      take(name).resolve((result ?? defaultResult(name, unitFiles)) as never);
      await settled();
    },
    async fail(name, facts = {}) {
      take(name).reject(new EtlError('ETL_SERVER', `${name} failed`, '', facts));
      await settled();
    },
    async endAll() {
      for (;;) {
        const [name] = pending.keys();
        if (name === undefined) return;
        await bench.end(name);
      }
    },
  };
  return bench;
}

export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function defaultResult(name: string, unitFiles: readonly (readonly number[])[]): unknown {
  const files = unitFiles[Number.parseInt(name, 10)] ?? [];
  if (name.endsWith('.stage')) return staged();
  if (name.endsWith('.keys')) return Float64Array.of(files[0] ?? 0);
  return name.endsWith('.merge') ? merged(files) : undefined;
}

export function staged(facts: Partial<StagedUnit> = {}): StagedUnit {
  return { rows: 1, range: null, failure: null, alreadyMerged: null, ...facts };
}

export function merged(
  files: readonly number[],
  failure: MergedUnit['failure'] = null,
): MergedUnit {
  const counts = {
    rowsRead: 1,
    inserted: 1,
    updated: 0,
    unchanged: 0,
    superseded: 0,
    rejected: 0,
  };
  const each = files.map((file) => ({ file, counts: null }));
  return { counts, files: each, failure, stageMs: 1, mergeMs: 1 };
}

export const badRow = (file: number) => ({
  file,
  error: new EtlError('ETL_ROW_INVALID', 'A bad row.', '').record,
});

export const statuses = async (bench: Bench) => (await bench.outcomes).map(({ status }) => status);
