import fc from 'fast-check';

/**
 * Runs a property with a seed that can be set, so that a failure can be replayed: the error names
 * the command. ETL_PROPERTY_SEED fixes the seed, ETL_PROPERTY_RUNS the number of runs.
 */
export async function checkProperty<T>(
  file: string,
  property: fc.IAsyncProperty<T>,
  runs: number,
): Promise<void> {
  const seed = Number(process.env['ETL_PROPERTY_SEED'] ?? Math.floor(Math.random() * 0x7fffffff));
  const numRuns = Number(process.env['ETL_PROPERTY_RUNS'] ?? runs);
  const result = await fc.check(property, { seed, numRuns, endOnFailure: false });
  if (!result.failed) return;
  const replay = `ETL_PROPERTY_SEED=${seed} npx vitest run ${file}`;
  throw new Error(`${fc.defaultReportMessage(result) ?? 'failed'}\nReplay: ${replay}`, {
    cause: result.errorInstance,
  });
}
