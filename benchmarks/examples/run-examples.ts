import { EtlError, errorRecordOf, type ErrorRecord } from '../../src/errors.ts';
import { connect } from '../../src/target/connect.ts';
import { measure, type Meter } from '../measure/measure.ts';
import { findPostmaster } from '../measure/server-cpu.ts';
import { benchmarkSession } from '../measure/session.ts';
import type { ExampleResult, ExampleSize, ReportedFigures } from './example-result.ts';
import { checkBuilt, findExamples, runInCheckout, type Examples } from './example-runner.ts';
import { inOwnDatabase } from './own-database.ts';

export interface ExamplesOptions {
  readonly databaseUrl: string;
  /** Names; none: all that there are. */
  readonly names: readonly string[];
  readonly size: ExampleSize;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExampleProgress) => void;
  /** All so far, after each example. */
  readonly onResults: (results: readonly ExampleResult[]) => Promise<void>;
}

export type ExampleProgress =
  | { readonly kind: 'example'; readonly name: string; readonly size: ExampleSize }
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'done'; readonly result: ExampleResult };

export interface ExamplesEnd {
  readonly results: readonly ExampleResult[];
  /** A sentence for each example that failed. */
  readonly failures: readonly string[];
}

/**
 * Runs examples one after another, each in a process and a database of its own, which is dropped at the
 * end, however it ends. An example compares its tables with arithmetic and fails where they differ.
 *
 * @throws EtlError ETL_USAGE outside of a checkout, and of a name that no example has
 */
export async function runExamples(options: ExamplesOptions): Promise<ExamplesEnd> {
  const { signal, size, onProgress } = options;
  const examples = await findExamples(options.names);
  await checkBuilt(examples);
  const connection = await connect(benchmarkSession(options.databaseUrl));
  const postmaster = await findPostmaster(connection);
  const results: ExampleResult[] = [];
  const failures: string[] = [];
  try {
    for (const name of examples.names) {
      signal.throwIfAborted();
      onProgress({ kind: 'example', name, size });
      const result = await runOne(name, examples, options, { connection, postmaster });
      signal.throwIfAborted();
      results.push(result);
      if (result.failed !== null) failures.push(`example ${name}: ${result.failed}`);
      onProgress({ kind: 'done', result });
      await options.onResults(results);
    }
    return { results, failures };
  } finally {
    await connection.end();
  }
}

async function runOne(
  name: string,
  examples: Examples,
  { databaseUrl, size, signal, onProgress }: ExamplesOptions,
  { connection, postmaster }: Omit<Meter, 'databaseUrl'>,
): Promise<ExampleResult> {
  return inOwnDatabase(connection, databaseUrl, async (url) => {
    try {
      const onLine = (line: string): void => {
        onProgress({ kind: 'line', line });
      };
      const measured = await measure({ databaseUrl: url, connection, postmaster }, () =>
        runInCheckout(examples, { name, size, databaseUrl: url, signal, onLine }),
      );
      const { connectionsPeak, serverCpuMs } = measured;
      return { ...{ name, size, ...measured.result }, connectionsPeak, serverCpuMs, failed: null };
    } catch (error) {
      return failedResult(name, size, errorRecordOf(error));
    }
  });
}

const NOTHING_REPORTED: ReportedFigures = {
  ...{ sentence: '', rows: 'rows', msPerRow: 0, rssPeakBytes: null },
  ...{ msPerRowBefore: null, msPerRowWanted: null },
};

function failedResult(name: string, size: ExampleSize, error: ErrorRecord): ExampleResult {
  const { message } = new EtlError(error.code, error.sentence, '', error.facts);
  return {
    ...{ name, size, reported: NOTHING_REPORTED, figures: [] },
    ...{ connectionsPeak: null, serverCpuMs: null, failed: message },
  };
}
