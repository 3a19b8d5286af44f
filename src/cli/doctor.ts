import type { DoctorReport } from '../check/doctor/doctor-types.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import type { Job } from '../job/schema.ts';
import { createLog } from '../log.ts';
import { printDoctor } from '../report/doctor-text.ts';
import type { Engine } from './engine.ts';
import { openDatabase, type OpenDatabase } from './open-database.ts';
import { serverJob } from './server-job.ts';
import type { StateArguments } from './state-arguments.ts';
import { colorOf, widthOf, type World } from './world.ts';

/** `etl doctor`: whether server, privileges and room are fit for a load. */
export async function doctorCommand(
  asked: StateArguments,
  world: World,
  loadEngine: () => Promise<Engine>,
): Promise<ExitCode> {
  const { stdout, env } = world;
  const job = await serverJob(asked, world);
  const report = await examine(asked, job, world, await loadEngine());
  stdout.write(
    asked.json
      ? `${JSON.stringify(report, null, 2)}\n`
      : printDoctor(report, { color: colorOf(stdout, env), width: widthOf(stdout) }),
  );
  return report.ok ? EXIT.ok : EXIT.failed;
}

/** A server that cannot be started or reached is a finding, too. */
async function examine(
  asked: StateArguments,
  job: Job,
  world: World,
  engine: Engine,
): Promise<DoctorReport> {
  const { stderr, env, cwd, signal } = world;
  let database: OpenDatabase;
  try {
    database = await openDatabase(job, world, engine);
  } catch (error) {
    signal.throwIfAborted();
    const { connectionFailed } = await import('../check/doctor/doctor.ts');
    return connectionFailed(error);
  }
  try {
    if (database.notice !== null) stderr.write(`${database.notice}\n`);
    const home = engine.embeddedHome(env);
    return await engine.doctor(job, {
      ...{ databaseUrl: database.url, cwd, signal },
      embedded: database.embedded ? await engine.embeddedStatus(home) : null,
      log: createLog(asked.verbose ? 'debug' : 'error'),
    });
  } finally {
    await database.release();
  }
}
