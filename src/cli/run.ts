import { errorRecordOf, EXIT, type ExitCode } from '../errors.ts';
import { errorLine } from '../report/error-text.ts';
import { exitCodeOfReport } from '../report/exit-code.ts';
import { createProgress } from '../report/progress.ts';
import { rejectedLine } from '../report/rejected-line.ts';
import { reportJson } from '../report/report-json.ts';
import { printSummary } from '../report/summary-text.ts';
import type { RunEvent } from '../run/events.ts';
import type { Report } from '../run/report-types.ts';
import type { LoadArguments } from './load-arguments.ts';
import type { Engine } from './engine.ts';
import { showPlan, withPlan, type Planned } from './plan.ts';
import { reportRefusal } from './refused-report.ts';
import { checkReportPath, writeReportFile } from './report-file.ts';
import { colorOf, commandOf, progressModeOf, widthOf, type World } from './world.ts';

/** `etl run`: plan, load, tell. */
export async function runCommand(
  load: LoadArguments,
  world: World,
  engine: () => Promise<Engine>,
): Promise<ExitCode> {
  const { reportPath } = load;
  if (reportPath !== null) await checkReportPath(reportPath, world.cwd);
  const startedAt = new Date();
  const seen = { waits: false, reported: false };
  const once = (): Promise<ExitCode> =>
    withPlan(load, world, engine, async (planned) => {
      seen.waits = planned.plan.settings.wait > 0;
      return loadPlanned(planned, load, world, () => (seen.reported = true));
    });
  try {
    return await withReplans(once, seen, load, world);
  } catch (error) {
    if (!seen.reported && !load.dryRun) await reportRefusal(error, startedAt, load, world);
    throw error;
  }
}

async function withReplans(
  once: () => Promise<ExitCode>,
  seen: { readonly waits: boolean },
  load: LoadArguments,
  world: World,
): Promise<ExitCode> {
  for (let replans = 0; ; replans++) {
    try {
      return await once();
    } catch (error) {
      // Whoever was waited for may have loaded the same files, and then the plan is of another time.
      const stale = errorRecordOf(error).code === 'ETL_PLAN_STALE';
      if (!seen.waits || !stale || replans === REPLANS_MAX) throw error;
      if (!load.quiet) world.stderr.write('The table was loaded meanwhile; planning again.\n');
    }
  }
}

/** Plans made again in one run that waits for others. */
const REPLANS_MAX = 10;

async function loadPlanned(
  planned: Planned,
  load: LoadArguments,
  world: World,
  onReport: () => void,
): Promise<ExitCode> {
  const { reportPath } = load;
  if (load.dryRun) {
    showPlan(planned.plan, load, world, true);
    if (!load.json && !load.quiet) world.stdout.write('Dry run: nothing was loaded.\n');
    return EXIT.ok;
  }
  if (!load.json) showPlan(planned.plan, load, world, load.verbose);
  const report = await execute(planned, load, world);
  onReport();
  showReport(report, planned, load, world);
  if (reportPath !== null) await writeReportFile(reportPath, world.cwd, reportJson(report));
  return exitCodeOfReport(report);
}

async function execute(planned: Planned, load: LoadArguments, world: World): Promise<Report> {
  const { plan, database, engine, log } = planned;
  const { stdout, env, signal } = world;
  const { retryRejects } = load;
  const progress = createProgress(plan, {
    stream: stdout,
    mode: load.quiet || load.json ? 'none' : progressModeOf(stdout, env),
    now: () => performance.now(),
    color: colorOf(stdout, env),
    width: widthOf(stdout),
  });
  try {
    const running = engine.run(plan, { databaseUrl: database.url, log, signal, retryRejects });
    // Together, so that a rejected report is never left unheard while events are still awaited.
    const [report] = await Promise.all([
      running.report,
      follow(running, (event) => progress.on(event)),
    ]);
    return report;
  } finally {
    progress.stop();
  }
}

async function follow(
  events: AsyncIterable<RunEvent>,
  show: (event: RunEvent) => void,
): Promise<void> {
  for await (const event of events) show(event);
}

function showReport(
  report: Report,
  { database }: Planned,
  load: LoadArguments,
  world: World,
): void {
  const { stdout, stderr, env } = world;
  if (load.json) stdout.write(reportJson(report));
  if (load.json || load.quiet) {
    const line = report.error === null ? rejectedLine(report) : errorLine(report.error);
    if (line !== null) stderr.write(`etl: ${line}\n`);
  }
  if (!load.json && !load.quiet) {
    stdout.write(
      `\n${printSummary(report, { color: colorOf(stdout, env), width: widthOf(stdout), verbose: load.verbose })}`,
    );
    if (database.embedded && report.status !== 'failed') {
      const etl = commandOf(env);
      stdout.write(
        `Look at the result: "${etl} db start" keeps the server up, "${etl} db url" prints its ` +
          'address for any client.\n',
      );
    }
  }
}
