import { fromSource, loadPart, type LoadedPart } from '../src/code-cache.ts';
import { tuneProcess } from '../src/tune-process.ts';
import type { ChildOrder, ChildReply } from './measured-run.ts';

type MeasuredRun = typeof import('./measured-run.ts');

/** Said by a build, which has the rest in its script, as it has the commands. */
declare const ETL_SCRIPT: string | undefined;

/**
 * A process of its own for one measured run of the engine, so that its CPU and memory are its own: it begins
 * as `etl run` does, answers its parent's order, and ends.
 */
tuneProcess();

const loading = loadMeasuredRun();

process.once('message', (order: ChildOrder) => {
  void answer(order).then((reply) => {
    process.send?.(reply, () => process.disconnect());
  });
});

async function answer(order: ChildOrder): Promise<ChildReply> {
  const { part, keep } = await loading;
  const reply = await part.measuredRun(order);
  keep();
  return reply;
}

async function loadMeasuredRun(): Promise<LoadedPart<MeasuredRun>> {
  if (typeof ETL_SCRIPT === 'undefined') return fromSource(await import('./measured-run.ts'));
  return loadPart<MeasuredRun>('measuredRun', { use: 'measured run', plain: false });
}
