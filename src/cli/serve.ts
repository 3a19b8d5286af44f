import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../errors.ts';
import { createLog } from '../log.ts';
import type { ServedJob } from '../serve/served-jobs.ts';
import type { ServiceJob } from '../serve/lanes.ts';
import type { Engine } from './engine.ts';
import { usage } from './flag-values.ts';
import { openDatabase, type OpenDatabase } from './open-database.ts';
import type { ServeArguments } from './serve-arguments.ts';
import type { World } from './world.ts';

/** `etl serve`: until Ctrl-C or SIGTERM. What is accepted by then is loaded, or kept for next time. */
export async function serveCommand(
  asked: ServeArguments,
  world: World,
  loadEngine: () => Promise<Engine>,
): Promise<ExitCode> {
  const { env, cwd, stderr } = world;
  const [{ readServedJobs }, { chooseToken, isLoopback }] = await Promise.all([
    import('../serve/served-jobs.ts'),
    import('../serve/token.ts'),
  ]);
  const jobs = await readServedJobs({ ...asked, env, cwd });
  const tokenFile = asked.tokenFile === null ? null : resolve(cwd, asked.tokenFile);
  const token = await chooseToken(tokenFile, env);
  if (token.made && !isLoopback(asked.host)) {
    throw usage(
      `--host ${asked.host} can be reached by others, and there is no token for them.`,
      'Name a file that holds one with --token-file, or set ETL_SERVE_TOKEN.',
    );
  }
  const databases = new Map<string | null, OpenDatabase>();
  try {
    const served = await withDatabases(jobs, databases, world, await loadEngine());
    if (token.made) stderr.write(`Token, made for this process: ${token.secret}\n`);
    await serve(served, token.secret, asked, world);
    return EXIT.ok;
  } finally {
    for (const database of databases.values()) await database.release();
  }
}

async function serve(
  jobs: readonly ServiceJob[],
  token: string,
  asked: ServeArguments,
  { cwd, stderr, signal }: World,
): Promise<void> {
  const { startService } = await import('../serve/service.ts');
  const log = createLog(asked.verbose ? 'debug' : asked.quiet ? 'error' : 'info');
  const spool = resolve(cwd, asked.spool);
  const service = await startService({ ...asked, jobs, token, spool, log });
  const names = jobs.map(({ name }) => name).join(', ');
  if (!asked.quiet) stderr.write(`Serving ${names} at ${service.url}\n`);
  await new Promise<void>((done) => {
    if (signal.aborted) done();
    signal.addEventListener('abort', () => done(), { once: true });
  });
  await service.stop();
  if (!asked.quiet) stderr.write('Ended; uploads that wait are in the spool.\n');
}

/** One for each that the jobs name, and the embedded one is started once. */
async function withDatabases(
  jobs: readonly ServedJob[],
  databases: Map<string | null, OpenDatabase>,
  world: World,
  engine: Engine,
): Promise<ServiceJob[]> {
  const served: ServiceJob[] = [];
  for (const job of jobs) {
    const { databaseUrl: named } = job.job;
    const database = databases.get(named) ?? (await openDatabase(job.job, world, engine));
    if (!databases.has(named) && database.notice !== null) {
      world.stderr.write(`${database.notice}\n`);
    }
    databases.set(named, database);
    const { url: databaseUrl, embedded } = database;
    served.push({ ...job, databaseUrl, embedded });
  }
  return served;
}
