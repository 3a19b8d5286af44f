import { loadJob } from '../job/load-job.ts';
import type { Job } from '../job/schema.ts';
import type { StateArguments } from './state-arguments.ts';
import type { World } from './world.ts';

/** The job file where one is named; else the settings of flags and environment, without loads. */
export async function serverJob(
  { overrides, configPath }: StateArguments,
  { env, cwd }: World,
): Promise<Job> {
  if (configPath !== null) return loadJob({ overrides, configPath, env, cwd });
  // A job has loads; this one stands for them while flags and variables are checked.
  const placeholder = { path: ['loads'], value: [{ files: ['-'], table: '-' }], origin: 'etl' };
  const job = await loadJob({ overrides: [placeholder, ...overrides], configPath, env, cwd });
  return { ...job, loads: [] };
}
