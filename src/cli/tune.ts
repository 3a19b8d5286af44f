import { resolve } from 'node:path';
import type { Applied } from '../../benchmarks/tune/apply-recommendation.ts';
import type { Recommendation } from '../../benchmarks/tune/recommendation.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { loadJob } from '../job/load-job.ts';
import { createLog } from '../log.ts';
import { pageFor } from '../report/page.ts';
import type { BenchmarkArguments } from './benchmark-arguments.ts';
import type { Engine } from './engine.ts';
import { openDatabase } from './open-database.ts';
import { colorOf, widthOf, type World } from './world.ts';

/**
 * `etl benchmark --config`: measures the job's own database with samples of the job's own files, and
 * recommends settings; with --apply they go into the job file.
 */
export async function tuneCommand(
  asked: BenchmarkArguments,
  configPath: string,
  world: World,
  loadEngine: () => Promise<Engine>,
): Promise<ExitCode> {
  const { env, cwd, signal, stdout, stderr } = world;
  const overrides =
    asked.databaseUrl === null
      ? []
      : [{ path: ['databaseUrl'], value: asked.databaseUrl, origin: '--database-url' }];
  const job = await loadJob({ overrides, env, configPath, cwd });
  const { tune } = await import('../../benchmarks/tune/tune.ts');
  const { applyRecommendation } = await import('../../benchmarks/tune/apply-recommendation.ts');
  const { sureSettings } = await import('../../benchmarks/tune/recommendation.ts');
  const { recommendationText } = await import('../../benchmarks/recommendation-text.ts');
  const told = asked.json ? stderr : stdout;
  const page = pageFor({ color: colorOf(told, env), width: widthOf(told) });
  const database = await openDatabase(job, world, await loadEngine());
  try {
    if (database.notice !== null) told.write(`${database.notice}\n`);
    const recommendation = await tune(job, {
      databaseUrl: database.url,
      log: createLog('warn'),
      signal,
      minutesMax: asked.minutes,
      onProgress: ({ sentence, done, total }) =>
        void told.write(`  ${`${done}/${total}`.padStart(7)}  ${sentence}\n`),
    });
    if (asked.json) stdout.write(`${JSON.stringify(recommendation, null, 2)}\n`);
    else stdout.write(`\n${recommendationText(recommendation, page)}\n`);
    if (asked.apply) {
      const settings = sureSettings(recommendation);
      const applied = await applyRecommendation(resolve(cwd, configPath), { settings });
      told.write(appliedText(configPath, applied, recommendation, settings));
    } else if (recommendation.choices.length > 0) {
      told.write(`--apply writes them into ${configPath}.\n`);
    }
    return EXIT.ok;
  } finally {
    await database.release();
  }
}

function appliedText(
  configPath: string,
  { changed, diff }: Applied,
  { choices }: Recommendation,
  sure: Recommendation['settings'],
): string {
  if (changed) return `${configPath}:\n${diff}\n`;
  if (choices.length === 0) return `${configPath} stays as it is.\n`;
  return Object.keys(sure).length < choices.length
    ? `${configPath} stays as it is: what is not sure is not written; --minutes gives more time.\n`
    : `${configPath} has these settings.\n`;
}
