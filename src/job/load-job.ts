import { createReadStream } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { flagName } from '../remedy.ts';
import { crossProblems } from './cross-checks.ts';
import type { Environment } from './database-choice.ts';
import { environmentOverrides, misspeltVariables } from './environment.ts';
import { jobOptions } from './job-options.ts';
import { describeIssue, type OriginOf } from './job-problems.ts';
import { formatPath } from './json-path.ts';
import { parseJsonText, type JsonDocument } from './json-text.ts';
import { layOver, type Override } from './overlay.ts';
import { jobSchema, type Job, type LoadRequest } from './schema.ts';
import { transformRequest, type TransformRequest } from './transform-request.ts';

export interface JobRequest {
  /** Settings from the command line; they win over everything else. */
  readonly overrides: readonly Override[];
  readonly env: Environment;
  /** A job file, as the user named it, or null. */
  readonly configPath: string | null;
  readonly cwd: string;
}

/** A job file's text, and what its relative paths are relative to. */
export interface JobFile {
  readonly name: string;
  readonly folder: string;
  readonly text: string;
}

/**
 * What was asked, from flags, then the environment, then the job file, then defaults. The job is
 * complete, frozen and valid; every path in it is absolute. All problems come in one error.
 */
export async function loadJob(request: JobRequest): Promise<Job> {
  const { configPath, cwd } = request;
  const file = configPath === null ? null : await readJobFile(configPath, cwd);
  return buildJob({ ...request, file });
}

/** The same, for a job file that has been read. */
export function buildJob(
  request: Omit<JobRequest, 'configPath'> & { readonly file: JobFile | null },
): Job {
  const { file } = request;
  return jobOf(file === null ? emptyDocument : parseJsonText(file.text, file.name), request);
}

/** The same, for a document that has been parsed, which may be a part of a larger one. */
export function jobOf(
  document: JsonDocument,
  request: Omit<JobRequest, 'configPath'> & { readonly file: Omit<JobFile, 'text'> | null },
): Job {
  const { file, env, cwd } = request;
  const overlay = layOver(document.value, [...environmentOverrides(env), ...request.overrides]);
  const originOf: OriginOf = (path) =>
    originIn(overlay.origins, document, path) ?? (file === null ? flagOf(path) : null);
  const checked = jobSchema.safeParse(overlay.root);
  const problems = [
    ...document.problems,
    ...misspeltVariables(env),
    ...overlay.problems,
    ...(checked.error?.issues ?? []).flatMap((issue) =>
      describeIssue(issue, overlay.root, originOf),
    ),
    ...crossProblems(overlay.root, originOf),
  ];
  if (!checked.success || problems.length > 0) {
    throw invalidJob([...new Set(problems)], file?.name);
  }
  const folderOf = (index: number, setting: 'files' | 'transform') =>
    file === null || overlay.origins.has(formatPath(['loads', index, setting])) ? cwd : file.folder;
  const loads = checked.data.loads.map((load, index) => ({
    ...load,
    files: load.files.map((pattern) => absolutePattern(pattern, folderOf(index, 'files'))),
    // Names of columns are the user's: without a prototype, `columns["constructor"]` is undefined.
    columns: bare(load.columns),
    types: bare(load.types),
    compression: bare(load.compression),
    targets: load.targets.map((target) => ({
      ...target,
      columns: bare(target.columns),
      types: bare(target.types),
    })),
    transform: absoluteTransform(load.transform, folderOf(index, 'transform')),
  }));
  return deepFreeze({
    ...checked.data,
    loads: loads.filter((_, index) => overlay.chosen === null || overlay.chosen === index),
  });
}

const emptyDocument: JsonDocument = { value: {}, lineOf: () => undefined, problems: [] };

/** @throws EtlError ETL_JOB_INVALID where there is none, or it is too large */
export async function readJobFile(configPath: string, cwd: string): Promise<JobFile> {
  const path = resolve(cwd, configPath);
  try {
    return { name: configPath, folder: dirname(path), text: await boundedText(path, configPath) };
  } catch (error) {
    if (error instanceof EtlError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const reasons: Record<string, string> = {
      ENOENT: 'There is no such job file.',
      EISDIR: 'The job file is a directory.',
      EACCES: 'The job file may not be read.',
    };
    throw new EtlError(
      'ETL_JOB_INVALID',
      reasons[code] ?? `The job file cannot be read (${code}).`,
      'Give the path of a JSON file with --config.',
      { file: configPath },
      { cause: error },
    );
  }
}

/** What a pipe or a device gives is not known before it is read (`--config <(generate)`). */
async function boundedText(path: string, configPath: string): Promise<string> {
  const limit = LIMITS.jobFileBytesMax;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes <= limit) continue;
    throw new EtlError(
      'ETL_JOB_INVALID',
      `The job file has more than ${limit} bytes.`,
      'Name folders with globs instead of single files.',
      { file: configPath, limit },
    );
  }
  return Buffer.concat(chunks).toString();
}

function originIn(
  origins: ReadonlyMap<string, string>,
  document: JsonDocument,
  path: readonly PropertyKey[],
): string | null {
  // What is missing, or inside of what a flag has set, takes the origin of what surrounds it.
  for (let length = path.length; length > 0; length -= 1) {
    const text = formatPath(path.slice(0, length));
    const line = document.lineOf(text);
    const origin = origins.get(text) ?? (line === undefined ? undefined : `line ${line}`);
    if (origin !== undefined) return origin;
  }
  return null;
}

/** Without a job file, what is missing is missing from the command line. */
function flagOf(path: readonly PropertyKey[]): string | null {
  const steps = path.map((step) => (typeof step === 'number' ? '*' : String(step)));
  const option = jobOptions.find((known) => known.path.join('.') === steps.join('.'));
  return option === undefined ? null : `--${flagName(option.path)}`;
}

function invalidJob(problems: readonly string[], fileName: string | undefined): EtlError {
  const shown = problems.slice(0, LIMITS.jobProblemsMax);
  const hidden = problems.length - shown.length;
  return new EtlError(
    'ETL_JOB_INVALID',
    `The job has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:`,
    'Correct what is listed; config/job.schema.json describes every setting.',
    {
      ...(fileName === undefined ? {} : { file: fileName }),
      problems: hidden > 0 ? [...shown, `and ${hidden} more`] : shown,
    },
  );
}

/** In a pattern with magic, the folder's own brackets and stars are to be taken literally. */
function absolutePattern(pattern: string, folder: string): string {
  if (pattern.startsWith('/')) return pattern;
  const isGlob = /[*?[\]{}()!]/.test(pattern);
  return resolve(isGlob ? folder.replaceAll(/[*?[\]{}()!\\]/g, '\\$&') : folder, pattern);
}

function absoluteTransform(
  transform: LoadRequest['transform'],
  folder: string,
): TransformRequest | null {
  const asked = transformRequest(transform);
  return asked === null ? null : { ...asked, module: resolve(folder, asked.module) };
}

function bare<T>(entries: Readonly<Record<string, T>>): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, entries);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
