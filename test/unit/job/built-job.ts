import { EtlError } from '../../../src/errors.ts';
import { buildJob, type JobFile } from '../../../src/job/load-job.ts';
import type { Override } from '../../../src/job/overlay.ts';
import type { Job } from '../../../src/job/schema.ts';

export const cwd = '/home/me';
export const minimal = { loads: [{ files: ['a.csv'], table: 't' }] };

function fileOf(content: unknown): JobFile {
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
  return { name: 'job.json', folder: '/jobs', text };
}

interface Given {
  readonly file?: unknown;
  readonly env?: Record<string, string>;
  readonly overrides?: readonly Override[];
}

export function build({ file, env = {}, overrides = [] }: Given): Job {
  return buildJob({ file: file === undefined ? null : fileOf(file), env, overrides, cwd });
}

export function problemsOf(given: Given): readonly string[] {
  try {
    build(given);
  } catch (error) {
    if (error instanceof EtlError && error.code === 'ETL_JOB_INVALID') {
      return error.record.facts.problems ?? [];
    }
    throw error;
  }
  return [];
}

export function flag(path: string, value: unknown, origin: string): Override {
  return { path: path.split('.'), value, origin };
}
