import { EXIT, type ExitCode } from '../errors.ts';
import { printHistory } from '../report/history-text.ts';
import { printPruned } from '../report/prune-text.ts';
import type { Engine } from './engine.ts';
import { openDatabase } from './open-database.ts';
import { serverJob } from './server-job.ts';
import type { HistoryArguments } from './state-arguments.ts';
import { colorOf, widthOf, type World } from './world.ts';

/** `etl history`: the runs that the ledger knows; of one run its files. With `--prune`, forgets old ones. */
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
    const { runId, table, limit, prune } = asked;
    const page = { color: colorOf(stdout, env), width: widthOf(stdout) };
    const told = (value: object, text: () => string): boolean =>
      stdout.write(asked.json ? `${JSON.stringify(value, null, 2)}\n` : text());
    if (prune !== null) {
      const pruned = await engine.prune({
        ...{ databaseUrl: database.url, settings, signal },
        ...{ table, ...prune },
      });
      told(pruned, () => printPruned(pruned, page));
      return EXIT.ok;
    }
    const found = await engine.history({
      ...{ databaseUrl: database.url, settings, signal },
      ...{ runId, table, limit },
    });
    told(found, () => printHistory(found, { ...page, table }));
    return EXIT.ok;
  } finally {
    await database.release();
  }
}
