import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { errorRecordOf, EtlError } from '../errors.ts';
import type { Environment } from '../job/database-choice.ts';
import { formatPath, isRecord, valueAt } from '../job/json-path.ts';
import { parseJsonText, type JsonDocument } from '../job/json-text.ts';
import { jobOf, readJobFile, type JobFile } from '../job/load-job.ts';
import { didYouMean } from '../job/nearest-name.ts';
import type { Override } from '../job/overlay.ts';
import type { Job, LoadRequest } from '../job/schema.ts';
import { LIMITS } from '../limits.ts';

/** A job that takes uploads. Its one load names no files: these come by HTTP. */
export interface ServedJob {
  readonly name: string;
  readonly job: Job;
  readonly load: LoadRequest;
}

export interface ServedJobsRequest {
  /** A file of jobs, a job file, or a folder of job files, as the user named it. */
  readonly configPath: string;
  readonly overrides: readonly Override[];
  readonly env: Environment;
  readonly cwd: string;
}

/**
 * The jobs of a configuration, complete, frozen and valid. Of a file with `jobs` those by their names;
 * each is a load (`table`, `key` …), with `settings` and `databaseUrl` of its own where it has them,
 * or a job with one load. A job file, and each of a folder, is a job named after its file, so that
 * `etl run` and the service share it; the files that it names are not the service's.
 *
 * @throws EtlError ETL_JOB_INVALID, all problems together, each with its place
 */
export async function readServedJobs(request: ServedJobsRequest): Promise<readonly ServedJob[]> {
  const path = resolve(request.cwd, request.configPath);
  const stats = await stat(path).catch(() => null);
  const files =
    stats?.isDirectory() === true
      ? await jobFilesIn(path, request.configPath)
      : [await readJobFile(request.configPath, request.cwd)];
  const problems: string[] = [];
  const jobs = files.flatMap((file) => jobsOfFile(file, files.length > 1, request, problems));
  const twice = jobs.find(({ name }, index) => jobs.findIndex((job) => job.name === name) < index);
  if (twice !== undefined) problems.push(`Two jobs have the name ${JSON.stringify(twice.name)}.`);
  if (jobs.length > LIMITS.serveJobsMax) problems.push(`More than ${LIMITS.serveJobsMax} jobs.`);
  if (problems.length > 0) throw invalid(request.configPath, problems);
  return jobs;
}

async function jobFilesIn(folder: string, shown: string): Promise<JobFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0) throw invalid(shown, ['The folder has no job file (*.json).']);
  return Promise.all(names.map((name) => readJobFile(join(folder, name), folder)));
}

function jobsOfFile(
  file: JobFile,
  many: boolean,
  request: ServedJobsRequest,
  problems: string[],
): ServedJob[] {
  const document = parseJsonText(file.text, file.name);
  const listed = isRecord(document.value) && 'jobs' in document.value;
  const prefix = many ? `${basename(file.name)}: ` : '';
  if (!listed) {
    const name = basename(file.name, extname(file.name));
    return jobAt(name, wholeFile(document), { ...request, file }, prefix, problems);
  }
  problems.push(...document.problems.map((problem) => prefix + problem));
  problems.push(...sharedProblems(document).map((problem) => prefix + problem));
  const entries = valueAt(document.value, ['jobs']);
  return Object.entries(isRecord(entries) ? entries : {}).flatMap(([name, entry]) => {
    if (isRecord(entry)) {
      return jobAt(name, entryOf(document, name, entry), { ...request, file }, prefix, problems);
    }
    const place = placeOf(document, formatPath(['jobs', name]));
    problems.push(`${prefix}${place}: must be an object with what a load has (table, key …).`);
    return [];
  });
}

function placeOf({ lineOf }: JsonDocument, path: string): string {
  const line = lineOf(path);
  return line === undefined ? path : `${path} (line ${line})`;
}

const SHARED = ['$schema', 'description', 'databaseUrl', 'settings', 'jobs'];

function sharedProblems(document: JsonDocument): string[] {
  const { value } = document;
  const jobs = valueAt(value, ['jobs']);
  const unknown = Object.keys(isRecord(value) ? value : {}).filter((key) => !SHARED.includes(key));
  const place = (key: string): string => placeOf(document, formatPath([key]));
  return [
    ...unknown.map((key) => `${place(key)}: is not known.${didYouMean(key, SHARED)}`),
    ...(isRecord(jobs) && Object.keys(jobs).length > 0
      ? []
      : [`${place('jobs')}: must be an object that names at least one job.`]),
  ];
}

/** A job's document, and what the paths in its problems are called in the file. */
interface Entry {
  readonly document: JsonDocument;
  readonly shown: (problem: string) => string;
}

function wholeFile(document: JsonDocument): Entry {
  const { value } = document;
  const root = isRecord(value) ? { ...value, loads: withPlaceholders(value['loads']) } : value;
  return { document: { ...document, value: root }, shown: (problem) => problem };
}

/** One of `jobs`: what it says of the database and of settings is laid over what the file says. */
function entryOf(
  { value: root, lineOf }: JsonDocument,
  name: string,
  own: Readonly<Record<string, unknown>>,
): Entry {
  const prefix = formatPath(['jobs', name]);
  const short = !('loads' in own);
  const { databaseUrl, settings, loads, ...rest } = own;
  const shared = (key: string): unknown => valueAt(root, [key]);
  const settingsOf = [shared('settings'), settings].filter((one) => one !== undefined);
  const job = {
    ...(short ? {} : rest),
    databaseUrl: databaseUrl ?? shared('databaseUrl') ?? null,
    settings: settingsOf.every(isRecord)
      ? (Object.assign({}, ...settingsOf) as object)
      : settingsOf[0],
    loads: withPlaceholders(short ? [rest] : loads),
  };
  const inEntry = (path: string): string =>
    prefix + (short ? path.replace(/^loads\[0\]/, '') : path).replace(/^(?=[^.[])/, '.');
  const isShared = (path: string): boolean =>
    /^(?:settings|databaseUrl)\b/.test(path) && lineOf(inEntry(path)) === undefined;
  return {
    document: {
      value: job,
      lineOf: (path) => (isShared(path) ? lineOf(path) : lineOf(inEntry(path))),
      problems: [],
    },
    shown: (problem) => {
      const [path = ''] = /^[^\s:]*/.exec(problem) ?? [];
      return isShared(path) ? problem : inEntry(problem);
    },
  };
}

/** A load must name files; these stand for those that are to come. */
function withPlaceholders(loads: unknown): unknown {
  if (!Array.isArray(loads)) return loads;
  return loads.map((load: unknown) => (isRecord(load) ? { files: ['-'], ...load } : load));
}

/** A name is part of addresses and of labels. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function jobAt(
  name: string,
  { document, shown }: Entry,
  request: ServedJobsRequest & { readonly file: JobFile },
  prefix: string,
  problems: string[],
): ServedJob[] {
  if (!NAME.test(name)) {
    problems.push(
      `${prefix}${JSON.stringify(name)} cannot be the name of a job: up to 64 letters, digits, ., _ and -, and a letter or digit first.`,
    );
    return [];
  }
  try {
    const job = jobOf(document, request);
    const own = servedProblems(job).map((problem) => prefix + shown(problem));
    problems.push(...own);
    const [load] = job.loads;
    const rejects = resolve(request.cwd, job.settings.rejects);
    return load === undefined || own.length > 0
      ? []
      : [{ name, job: { ...job, settings: { ...job.settings, rejects } }, load }];
  } catch (error) {
    const { code, facts } = errorRecordOf(error);
    if (code !== 'ETL_JOB_INVALID' || facts.problems === undefined) throw error;
    const all = facts.problems.map((problem) => prefix + shown(problem));
    problems.push(...all.filter((problem) => !problems.includes(problem)));
    return [];
  }
}

/** What a job may hold, and a service cannot do. */
function servedProblems({ loads }: Job): string[] {
  const problems: string[] = [];
  if (loads.length > 1) {
    problems.push(
      `loads: a job that is served has one load, and not ${loads.length}; "targets" of a load writes to several tables.`,
    );
  }
  if (loads[0]?.documents.path !== null) {
    problems.push('loads[0].documents: an upload is rows and no document; leave it out.');
  }
  return problems;
}

function invalid(configPath: string, problems: readonly string[]): EtlError {
  const shown = problems.slice(0, LIMITS.jobProblemsMax);
  return new EtlError(
    'ETL_JOB_INVALID',
    `The jobs to serve have ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:`,
    'Correct what is listed; a job is written as in a job file, without files.',
    { file: configPath, problems: shown },
  );
}
