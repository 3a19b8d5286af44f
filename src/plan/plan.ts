import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { EtlError } from '../errors.ts';
import type { Job } from '../job/schema.ts';
import { deepFreeze, digest } from './canonical-json.ts';
import type { PlanContext } from './plan-context.ts';
import { documentsIn } from './plan-documents.ts';
import { planLoad } from './plan-load.ts';
import type { FilePlan, LoadPlan, Plan, PlannedTable, TargetPlan } from './plan-types.ts';
import { refuseSameFiles } from './same-files.ts';
import type { CreatedTable } from './target-table.ts';

/** Versions of PostgreSQL that the engine is tested with. */
export const SERVER_MIN = 14;
export const SERVER_MAX = 18;

/**
 * Reads files and catalog, decides, and returns frozen JSON; changes nothing in the database. `run`
 * obeys the plan and decides nothing of this again.
 */
export async function planLoads(job: Job, context: PlanContext): Promise<Plan> {
  refuseServer(context.server);
  const created = new Map<string, CreatedTable>();
  const loads: LoadPlan[] = [];
  for (const request of job.loads) {
    const load = await planLoad(request, job.settings, created, context);
    const { table, key, strategy, units } = load;
    for (const made of [{ table, key }, ...(load.targets ?? [])]) {
      if (made.table.create === null) continue;
      created.set(made.table.sqlName, { table: made.table, key: made.key });
    }
    context.log.debug({ table: table.sqlName, strategy, units: units.length }, 'load planned');
    loads.push(load);
  }
  refuseSameFiles(loads);
  const plan: Plan = {
    version: 1,
    planId: planIdOf(job, context, loads),
    createdAt: context.now().toISOString(),
    server: context.server,
    settings: withFolders(job.settings, context.cwd),
    session: context.chooseSession(Math.max(1, ...loads.map((load) => load.concurrency))),
    loads,
  };
  // A copy, or the caller's own job would be frozen with it.
  return deepFreeze({ ...structuredClone({ ...plan, loads: [] }), loads: loads.map(copied) });
}

/** Documents are the planner's own, which nobody else has; and a copy of 100,000 takes a second. */
function copied(load: LoadPlan): LoadPlan {
  if (documentsIn(load.files) === null) return structuredClone(load);
  for (const file of load.files) freezeDocument(file);
  return { ...structuredClone({ ...load, files: [] }), files: load.files };
}

/** As deepFreeze does, which looks at each property of each of a hundred thousand. */
function freezeDocument(file: FilePlan): void {
  const { description, targets, further, range, skip } = file;
  for (const inner of [description, targets, further]) deepFreeze(inner);
  Object.freeze(range);
  Object.freeze(skip);
  Object.freeze(file);
}

/** Folders as absolute paths: a plan may be run from elsewhere. */
function withFolders(settings: Job['settings'], cwd: string): Job['settings'] {
  const { rejects, keepSuperseded } = settings;
  return {
    ...settings,
    rejects: resolve(cwd, rejects),
    keepSuperseded: keepSuperseded === null ? null : resolve(cwd, keepSuperseded),
  };
}

function refuseServer({ versionNumber, version, inRecovery }: PlanContext['server']): void {
  const major = Math.floor(versionNumber / 10_000);
  if (major < SERVER_MIN || major > SERVER_MAX) {
    throw new EtlError(
      'ETL_SERVER_VERSION',
      `The server is PostgreSQL ${version}; versions ${SERVER_MIN} to ${SERVER_MAX} are supported.`,
      'Use a server of one of these versions.',
    );
  }
  if (!inRecovery) return;
  throw new EtlError(
    'ETL_SERVER',
    'The server is a standby (in recovery), which cannot be written.',
    'Connect to the primary server.',
  );
}

/**
 * The same work has the same id: it is made of what would be done to what, and of no time, estimate
 * or state of the server, nor of sessions' settings and threads, which change speed alone. The time of a
 * file's modification is in it, since it identifies the file.
 */
function planIdOf(job: Job, { server }: PlanContext, loads: readonly LoadPlan[]): string {
  const { database, address } = server;
  const work = loads.map((load) => ({
    table: withoutState(load.table),
    key: load.key,
    onConflict: load.onConflict,
    versionColumn: load.versionColumn,
    fingerprint: load.fingerprint,
    strategy: load.strategy,
    concurrency: load.concurrency,
    files: documentsIn(load.files) === null ? load.files.map(fileWork) : documentWork(load.files),
    units: load.units.map(({ files, part }) => (part === null ? files : { files, part })),
    conflicts: load.conflicts.map(({ before, after }) => [before, after]),
    ...(load.indexes === undefined ? {} : { indexes: load.indexes }),
    ...(load.targets === undefined ? {} : { targets: load.targets.map(targetWork) }),
  }));
  const settings = { ...job.settings, session: null, threads: null };
  return digest({ version: 1, database, address, settings, loads: work }).slice(0, 16);
}

function fileWork(file: FilePlan): object {
  const { path, bytes, mtimeMs, description, targets, further, skip } = file;
  return {
    ...{ path, bytes, mtimeMs, description, targets },
    ...(further === undefined ? {} : { further }),
    skipped: skip !== null,
  };
}

/** What all documents of a load have in common, and the digest of what they have not. */
function documentWork(files: readonly FilePlan[]): object {
  const digests = createHash('sha256');
  let some: unknown[] = [];
  for (const { path, bytes, mtimeMs, skip } of files) {
    some.push(path, bytes, mtimeMs, skip !== null);
    if (some.length < DIGESTED_AT_ONCE) continue;
    digests.update(JSON.stringify(some));
    some = [];
  }
  const [first] = files;
  return {
    description: first?.description,
    targets: first?.targets,
    documents: digests.update(JSON.stringify(some)).digest('hex'),
  };
}

/** Values of documents whose JSON is made in one go. */
const DIGESTED_AT_ONCE = 4_000;

function targetWork(target: TargetPlan): object {
  return { ...target, table: withoutState(target.table) };
}

function withoutState(table: PlannedTable): object {
  return { ...table, estimatedRows: null, empty: null };
}
