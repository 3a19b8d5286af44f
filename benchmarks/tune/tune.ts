import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorRecordOf } from '../../src/errors.ts';
import { plan, type Job, type Plan } from '../../src/index.ts';
import { formatBytes, formatCounted } from '../../src/report/format.ts';
import { connect } from '../../src/target/connect.ts';
import { sessionSettings } from '../../src/target/session.ts';
import { machineFacts, serverFacts } from '../certificate.ts';
import type { Recommendation } from './recommendation.ts';
import { sampleFiles } from './sample-files.ts';
import type { SampledLoad } from './sample-job.ts';
import {
  createScratch,
  createTable,
  dropScratch,
  scratchNamed,
  type Scratch,
  type ScratchTable,
} from './scratch-schema.ts';
import type { TuneContext, TuneOptions } from './tune-options.ts';
import { tuneSettings } from './tune-settings.ts';

export type { Choice, Recommendation, TuneProgress, TuneRun } from './recommendation.ts';
export type { TuneOptions } from './tune-options.ts';

/** Of the sample, all loads together. */
const SAMPLE_BYTES_MAX = 128 * 1024 * 1024;
/** More loads than this are not needed to know a server. */
const LOADS_MAX = 16;

/**
 * Measures the job's own database with a sample of the job's own files, in a scratch schema that is
 * gone at the end, however it ends. The tables of the job are read (some rows of theirs are where
 * the scratch tables begin) and never written; triggers and foreign keys are left out.
 */
export async function tune(job: Job, options: TuneOptions): Promise<Recommendation> {
  const { databaseUrl, log, signal } = options;
  const setup = {
    databaseUrl,
    applicationName: 'etl tune',
    connectTimeoutMs: job.settings.connectTimeoutMs,
    session: sessionSettings(job.settings),
  };
  const library = { databaseUrl, log, ...(signal === undefined ? {} : { signal }) };
  const planned = await plan(job, { ...library, force: true });
  const scratch = scratchNamed(randomBytes(6).toString('hex'));
  const folder = await mkdtemp(join(tmpdir(), 'etl-tune-'));
  const connection = await connect(setup);
  // The last statement may be a long one; whoever interrupts does not want to wait for it.
  const cut = (): void => connection.destroy();
  signal?.addEventListener('abort', cut);
  try {
    signal?.throwIfAborted();
    await createScratch(connection, scratch);
    return await measureSample(job, planned, options, folder, {
      ...options,
      ...{ library, connection, scratch },
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', cut);
    await rm(folder, { recursive: true, force: true });
    await connection.end();
    await dropAfterwards(setup, scratch).catch((error: unknown) => {
      log.warn({ error: errorRecordOf(error) }, `the schema ${scratch.schema} is left behind`);
    });
  }
}

async function measureSample(
  job: Job,
  planned: Plan,
  { signal, onProgress }: TuneOptions,
  folder: string,
  context: TuneContext,
): Promise<Recommendation> {
  const { connection, scratch } = context;
  const shown = planned.loads.slice(0, LOADS_MAX);
  const bytesMax = Math.floor(SAMPLE_BYTES_MAX / shown.length);
  const tables = new Map<string, ScratchTable>();
  const loads: SampledLoad[] = [];
  const notices: string[] = [];
  let bytes = 0;
  for (const [place, load] of shown.entries()) {
    const own = await mkdtemp(join(folder, 'load-'));
    const sample = await sampleFiles(load, bytesMax, own, signal);
    const { sqlName } = load.table;
    const table = tables.get(sqlName) ?? (await createTable(connection, scratch, load, place));
    tables.set(sqlName, table);
    loads.push({ place, paths: sample.paths, table });
    notices.push(...sample.notices, ...couplingNotices(load));
    bytes += sample.bytes;
  }
  if (planned.loads.length > shown.length) {
    notices.push(`The first ${shown.length} of ${planned.loads.length} loads are measured.`);
  }
  const files = loads.reduce((sum, { paths }) => sum + paths.length, 0);
  const sentence = `The sample has ${formatCounted(files, 'file')}, ${formatBytes(bytes)}.`;
  onProgress?.({ sentence, done: 0, total: 1 });
  const end = await tuneSettings({
    ...{ job, plan: planned, loads, tables: [...tables.values()], context },
    ...{ cores: availableParallelism(), now: () => performance.now() },
  });
  if (end.choices.length === 0)
    notices.push('The sample is work for one worker only: there is nothing to choose.');
  const server = await serverFacts(context.library.databaseUrl);
  return { ...end, machine: machineFacts(), server, sample: { files, bytes }, notices };
}

/** What the scratch table leaves out costs time in the real one. */
function couplingNotices({ table, couplings }: Plan['loads'][number]): string[] {
  const left = couplings.filter(({ kind }) => kind === 'row trigger' || kind === 'rule');
  if (left.length === 0) return [];
  const names = left.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  return [`${table.sqlName}: measured without its ${names}.`];
}

/** On a connection of its own: the other one may have been cut, or lost. */
async function dropAfterwards(
  setup: Parameters<typeof connect>[0],
  scratch: Scratch,
): Promise<void> {
  const connection = await connect(setup);
  try {
    await connection.query('set client_min_messages = warning');
    await dropScratch(connection, scratch);
  } finally {
    await connection.end();
  }
}
