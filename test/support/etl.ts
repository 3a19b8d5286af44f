import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { loadEngine, type Engine } from '../../src/cli/engine.ts';
import { main } from '../../src/cli/etl.ts';
import {
  errorRecordOf,
  type ErrorCode,
  type ErrorFacts,
  type ErrorRecord,
  type ExitCode,
} from '../../src/errors.ts';
import type { RunEvent } from '../../src/run/events.ts';
import type { Report } from '../../src/run/report-types.ts';
import { runWith } from '../../src/run/run.ts';
import { createInProcessPool } from './in-process-pool.ts';

export interface EtlOptions {
  readonly cwd: string;
  readonly signal?: AbortSignal;
  /** Real threads, or the same sessions on this thread (default). */
  readonly threads?: boolean;
  readonly onEvent?: (event: RunEvent) => void;
}

/** What a call of the command line did and said. */
export interface EtlEnd {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
  /** Null where it did not come to a run. */
  readonly report: Report | null;
  /** What was thrown, else the run's own; null where all went well, or the engine was not asked. */
  readonly error: ErrorRecord | null;
}

/** Runs the command line in this process, as `etl …` does, but for signals and real streams. */
export async function etl(argv: readonly string[], options: EtlOptions): Promise<EtlEnd> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err] = [textOf(stdout), textOf(stderr)];
  const seen: Seen = { report: null, error: null };
  const { cwd, signal = new AbortController().signal } = options;
  const world = { env: { NO_COLOR: '1' }, stdout, stderr, cwd, signal };
  const code = await main(argv, world, () => watchedEngine(options, seen));
  return { code, stdout: out(), stderr: err(), ...seen };
}

/**
 * What every error owes to whoever reads it: the exit code, the code, one sentence and a remedy,
 * without the engine's inner names and without a stack.
 */
export function expectTold(
  end: EtlEnd,
  code: ErrorCode,
  exit: number,
  facts: ErrorFacts = {},
): void {
  const said = end.stdout + end.stderr;
  expect({ exit: end.code, code: end.error?.code, said }).toEqual({ exit, code, said });
  expect(end.error?.facts).toMatchObject(facts);
  expect(end.error?.remedy).not.toBe('');
  expect(said.replaceAll(/\s+/g, ' ')).toContain(code);
  expect(said).not.toMatch(/\n\s+at /);
  expect(said).not.toMatch(/etl_(row|file|unit)|pg_temp/);
}

interface Seen {
  report: Report | null;
  error: ErrorRecord | null;
}

async function watchedEngine(options: EtlOptions, seen: Seen): Promise<Engine> {
  const engine = await loadEngine();
  const noting = <T>(promise: Promise<T>): Promise<T> =>
    promise.catch((error: unknown) => {
      seen.error = errorRecordOf(error);
      throw error;
    });
  return {
    ...engine,
    plan: (job, given) => noting(engine.plan(job, given)),
    run: (plan, given) => {
      const handle =
        options.threads === true
          ? engine.run(plan, given)
          : runWith(plan, given, {
              createPool: (workers, setup) => createInProcessPool(workers, setup),
              random: () => 0,
              sleep: (ms, stop) => sleep(ms, undefined, stop === undefined ? {} : { signal: stop }),
            });
      const report = noting(handle.report).then((ended) => {
        seen.report = ended;
        seen.error = ended.error;
        return ended;
      });
      return { report, [Symbol.asyncIterator]: () => watched(handle, options) };
    },
  };
}

async function* watched(
  events: AsyncIterable<RunEvent>,
  { onEvent }: EtlOptions,
): AsyncGenerator<RunEvent> {
  for await (const event of events) {
    onEvent?.(event);
    yield event;
  }
}

function textOf(stream: PassThrough): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
}
