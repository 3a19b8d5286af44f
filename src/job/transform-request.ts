import * as z from 'zod';

const module = z.string().min(1).describe('Path of the module, relative to the job file.');

/** A module that makes rows of rows while they are loaded; see source/transform/define-transform.ts. */
export const transformSchema = z
  .union([
    module,
    z.strictObject({
      module,
      options: z
        .record(z.string(), z.unknown())
        .default({})
        .describe('What its setUp is called with.'),
    }),
    z.null(),
  ])
  .default(null)
  .describe(
    'Module (TypeScript or JavaScript) whose function every row goes through in the workers, subBatchSize rows at a time; or {module, options}.',
  );

/** A transform as the job asks for it. */
export interface TransformRequest {
  /** Absolute, once the job is loaded. */
  readonly module: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The one form of both. */
export function transformRequest(
  transform: z.infer<typeof transformSchema>,
): TransformRequest | null {
  return typeof transform === 'string' ? { module: transform, options: {} } : transform;
}
