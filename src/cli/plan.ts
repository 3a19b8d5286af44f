import { EXIT, type ExitCode } from '../errors.ts';
import { loadJob } from '../job/load-job.ts';
import { createLog, type Log } from '../log.ts';
import type { Plan } from '../plan/plan-types.ts';
import { printPlan } from '../report/plan-text.ts';
import type { LoadArguments } from './load-arguments.ts';
import type { Engine } from './engine.ts';
import { openDatabase, type OpenDatabase } from './open-database.ts';
import { colorOf, widthOf, type World } from './world.ts';

/** `etl plan`: what `etl run` would do, and why. Changes nothing in the database. */
export async function planCommand(
  load: LoadArguments,
  world: World,
  engine: () => Promise<Engine>,
): Promise<ExitCode> {
  await withPlan(load, world, engine, async ({ plan }) => showPlan(plan, load, world, true));
  return EXIT.ok;
}

export interface Planned {
  readonly plan: Plan;
  readonly database: OpenDatabase;
  readonly engine: Engine;
  readonly log: Log;
}

/** Reads the job, opens its database, plans, and closes the database after `use`. */
export async function withPlan<T>(
  load: LoadArguments,
  world: World,
  loadEngine: () => Promise<Engine>,
  use: (planned: Planned) => Promise<T>,
): Promise<T> {
  const { env, cwd, signal } = world;
  const job = await loadJob({ ...load, env, cwd });
  const log = createLog(load.verbose ? 'debug' : load.quiet ? 'error' : 'warn');
  const engine = await loadEngine();
  const database = await openDatabase(job, world, engine);
  try {
    if (database.notice !== null && !load.quiet) {
      (load.json ? world.stderr : world.stdout).write(`${database.notice}\n`);
    }
    const { url: databaseUrl, embedded } = database;
    const { force } = load;
    const plan = await engine.plan(job, { databaseUrl, embedded, force, cwd, log, signal });
    return await use({ plan, database, engine, log });
  } finally {
    await database.release();
  }
}

export function showPlan(plan: Plan, load: LoadArguments, world: World, verbose: boolean): void {
  const { stdout, env } = world;
  if (load.json) stdout.write(`${JSON.stringify(plan, null, 2)}\n`);
  else if (!load.quiet) {
    const color = colorOf(stdout, env);
    stdout.write(
      `\n${printPlan(plan, { color, verbose, settings: load.verbose, width: widthOf(stdout) })}\n`,
    );
  }
}
