import { EXIT, type ExitCode } from '../errors.ts';
import { printHistory } from '../report/history-text.ts';
import type { Engine } from './engine.ts';
import { openDatabase } from './open-database.ts';
import { serverJob } from './server-job.ts';
import type { HistoryArguments } from './state-arguments.ts';
import { colorOf, widthOf, type World } from './world.ts';

/** `etl history`: the runs that the ledger knows; of one run its files. */
export async function historyCommand(
  asked: HistoryArguments,
  world: World,
  loadEngine: () => Promise<Engine>,
): Promise<ExitCode> {
  const { stdout, stderr, env, signal } = world;
  const { settings, ...job } = await serverJob(asked, world);
  const engine = await loadEngine();
  const database = await openDatabase({ ...job, settings }, world, engine);
  try {
    if (database.notice !== null) stderr.write(`${database.notice}\n`);
    const { runId, table, limit } = asked;
    const found = await engine.history({
      ...{ databaseUrl: database.url, settings, signal },
      ...{ runId, table, limit },
    });
    stdout.write(
      asked.json
        ? `${JSON.stringify(found, null, 2)}\n`
        : printHistory(found, { color: colorOf(stdout, env), width: widthOf(stdout) }),
    );
    return EXIT.ok;
  } finally {
    await database.release();
  }
}
