import type * as z from 'zod';
import { parseJsonText } from './json-text.ts';
import { jobOf } from './load-job.ts';
import type { Job, jobSchema } from './schema.ts';

/** A job as it is written: what has a default may be left out. */
export type JobInput = z.input<typeof jobSchema>;

/**
 * A job from a literal, checked and completed like a job file: `defineJob({ loads: [{ table:
 * 'orders', files: ['orders/*.csv'], key: ['id'] }] })`. Relative paths start at `cwd`. Throws
 * ETL_JOB_INVALID with all problems at once. The environment is not read.
 */
export function defineJob(job: JobInput, cwd: string = process.cwd()): Job {
  const file = { name: 'job', folder: cwd };
  // Its text is ours, so that the lines of it tell nobody anything.
  const document = { ...parseJsonText(JSON.stringify(job), file.name), lineOf: () => undefined };
  return jobOf(document, { file, env: {}, overrides: [], cwd });
}
