import type { TransformSource } from '../../source/source-file.ts';
import type { Transform } from '../../source/transform/define-transform.ts';
import {
  importTransform,
  messageOf,
  transformError,
} from '../../source/transform/import-transform.ts';
import { unlessAborted } from './unless-aborted.ts';

/** A transform that is set up in this thread. */
export interface OpenTransform {
  readonly module: string;
  readonly transform: Transform;
  readonly state: unknown;
}

/** By the module as it was imported, so that one that was written to since is set up again. */
const states = new WeakMap<Transform, Map<string, Promise<unknown>>>();

/**
 * Imports and sets up a transform: once in each thread for the same options, so that a model is read
 * once, however many files the thread loads.
 *
 * @throws EtlError ETL_TRANSFORM, and as importTransform
 */
export async function openTransform(
  { module, options }: TransformSource,
  signal: AbortSignal,
): Promise<OpenTransform> {
  const transform = await unlessAborted(importTransform(module), signal);
  const known = states.get(transform) ?? new Map<string, Promise<unknown>>();
  states.set(transform, known);
  const name = JSON.stringify(options);
  const setUp = known.get(name) ?? begin(module, transform, options);
  known.set(name, setUp);
  try {
    return { module, transform, state: await unlessAborted(setUp, signal) };
  } catch (error) {
    // Whoever tries again sets it up again.
    if (!signal.aborted) known.delete(name);
    throw error;
  }
}

async function begin(
  module: string,
  transform: Transform,
  options: TransformSource['options'],
): Promise<unknown> {
  try {
    return await transform.setUp?.(options);
  } catch (error) {
    throw transformError(
      module,
      `The setUp of the transform failed: ${messageOf(error)}`,
      'Correct the module, or its options in the job.',
      error,
    );
  }
}
