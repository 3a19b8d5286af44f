import { EXIT, type ExitCode } from '../errors.ts';
import { loadJob } from '../job/load-job.ts';
import { createLog } from '../log.ts';
import { printVerify } from '../report/verify-text.ts';
import type { LoadArguments } from './load-arguments.ts';
import type { Engine } from './engine.ts';
import { openDatabase } from './open-database.ts';
import { colorOf, widthOf, type World } from './world.ts';

/** `etl verify`: whether the table is as its files, loaded one after another, leave it. */
export async function verifyCommand(
  load: LoadArguments,
  wholeTable: boolean,
  world: World,
  loadEngine: () => Promise<Engine>,
): Promise<ExitCode> {
  const { stdout, stderr, env, cwd, signal } = world;
  const job = await loadJob({ ...load, env, cwd });
  const engine = await loadEngine();
  const database = await openDatabase(job, world, engine);
  try {
    if (database.notice !== null) stderr.write(`${database.notice}\n`);
    const report = await engine.verify(job, {
      ...{ databaseUrl: database.url, wholeTable, cwd, signal },
      log: createLog(load.verbose ? 'debug' : 'warn'),
      now: () => performance.now(),
    });
    stdout.write(
      load.json
        ? `${JSON.stringify(report, null, 2)}\n`
        : printVerify(report, { color: colorOf(stdout, env), width: widthOf(stdout) }),
    );
    return report.equal ? EXIT.ok : EXIT.failed;
  } finally {
    await database.release();
  }
}
