import {
  formatBytes,
  formatCount,
  formatSeconds,
  NOTHING,
  perSecond,
} from '../src/report/format.ts';
import type { Page } from '../src/report/page.ts';
import { renderTable, type Cell, type Column } from '../src/report/table.ts';
import { safeText } from '../src/report/safe-text.ts';
import { comparedLoads, formatMsPerRow, type ComparedLoad } from './examples/example-result.ts';
import type { ExampleProgress } from './examples/run-examples.ts';
import { goalOutcomes, isReached, type GoalOutcome } from './goal-outcomes.ts';
import { mediansOf } from './medians.ts';
import type { BenchmarkCase, BenchmarkResults, Ratio } from './results.ts';
import { titleOf, type Progress } from './run-scenario.ts';

/** A line for each thing that happens, since a benchmark takes long. */
export function progressLine(progress: Progress | ExampleProgress, { ink }: Page): string {
  switch (progress.kind) {
    case 'scenario': {
      const { name, description } = progress.scenario;
      return `\n${ink.bold(name)} · ${formatCount(progress.rows)} rows · ${description}`;
    }
    case 'run': {
      const { contender, round, measurement } = progress;
      const run = round === 0 ? 'warm-up' : `run ${round}`;
      const check = measurement.correct ? ink.green('table ok') : ink.red('table WRONG');
      const cpu = `client ${formatSeconds(measurement.clientCpuMs)} + server ${formatSeconds(measurement.serverCpuMs)} s CPU`;
      return `  ${titleOf(contender).padEnd(26)} ${run.padEnd(8)} ${formatSeconds(measurement.wallMs).padStart(7)} s   ${cpu}   ${check}`;
    }
    case 'skipped':
      return `  ${progress.contender.padEnd(26)} ${ink.yellow('left out')}: ${progress.error.sentence}`;
    case 'example':
      return `\n${ink.bold(progress.name)} · an example, ${progress.size} size`;
    case 'line':
      return `  ${safeText(progress.line)}`;
    case 'done': {
      const { failed, name } = progress.result;
      return failed === null ? `  ${name} ${ink.green('ok')}` : `  ${ink.red('FAILED')}: ${failed}`;
    }
  }
}

/** The medians of all cases, and what they were to reach. */
export function benchmarkText(results: BenchmarkResults, page: Page): string {
  const { cases, ratios, examples = [] } = results;
  const table = (columns: readonly Column[], rows: readonly Cell[][]): string =>
    renderTable(columns, rows, { page, indent: 0 });
  const sections: string[] = [];
  if (cases.length > 0) {
    const rows = cases.map((one) => caseRow(one, page));
    sections.push(table(CASE_COLUMNS, rows), ...ratioTables(ratios, page, table));
  }
  if (examples.length > 0) {
    const rows = comparedLoads(examples).map(exampleRow);
    sections.push(table(EXAMPLE_COLUMNS, rows));
  }
  return `${sections.join('\n\n')}\n`;
}

function ratioTables(
  ratios: readonly Ratio[],
  page: Page,
  table: (columns: readonly Column[], rows: readonly Cell[][]) => string,
): string[] {
  if (ratios.length === 0) {
    return ['No ratio has both of its sides here; see --suite standard --peers.'];
  }
  const measured = goalOutcomes(ratios).filter(({ worst }) => worst !== null);
  const goals = measured.map((outcome) => goalRow(outcome, page));
  return [
    table(
      RATIO_COLUMNS,
      ratios.map((ratio) => ratioRow(ratio, page)),
    ),
    ...(goals.length === 0 ? [] : [table(GOAL_COLUMNS, goals)]),
  ];
}

const CASE_COLUMNS: readonly Column[] = [
  { title: 'scenario', align: 'left', fit: 'cut' },
  { title: 'by', align: 'left' },
  { title: 'rows', align: 'right', dropRank: 3 },
  { title: 'seconds', align: 'right' },
  { title: 'rows/s', align: 'right' },
  { title: 'client CPU', align: 'right', dropRank: 1 },
  { title: 'server CPU', align: 'right', dropRank: 1 },
  { title: 'RSS', align: 'right', dropRank: 2 },
  { title: 'WAL', align: 'right', dropRank: 2 },
  { title: 'table', align: 'left' },
];

function caseRow(one: BenchmarkCase, { ink }: Page): Cell[] {
  const by = [one.contender, one.strategy === 'auto' ? `auto: ${one.chosen ?? '?'}` : one.strategy];
  const concurrency = one.concurrency === null ? '' : ` x${one.concurrency}`;
  const title = `${by.filter((part) => part !== null).join(' ')}${concurrency}`;
  if (one.runs.length === 0) {
    const paint = ink.yellow;
    return [one.scenario, title, ...Array<Cell>(7).fill(''), { text: 'left out', paint }];
  }
  const medians = mediansOf(one);
  const wrong = one.runs.filter((run) => !run.correct).length;
  const bytes = (value: number | null): string => (value === null ? NOTHING : formatBytes(value));
  return [
    one.scenario,
    title,
    formatCount(one.rows),
    formatSeconds(medians.wallMs),
    formatCount(perSecond(one.rows, medians.wallMs)),
    formatSeconds(medians.clientCpuMs),
    formatSeconds(medians.serverCpuMs),
    bytes(medians.rssPeakBytes),
    bytes(medians.walBytes),
    wrong === 0
      ? { text: 'ok', paint: ink.green }
      : { text: `WRONG (${wrong} of ${one.runs.length})`, paint: ink.red },
  ];
}

const RATIO_COLUMNS: readonly Column[] = [
  { title: 'what is asked', align: 'left', fit: 'wrap' },
  { title: 'by', align: 'left' },
  { title: 'measured', align: 'right' },
  { title: 'at most', align: 'right' },
  { title: '', align: 'left', quiet: true },
];

function ratioRow(ratio: Ratio, { ink }: Page): Cell[] {
  const { name, metric, value, reach } = ratio;
  const verdict: Cell =
    reach === null
      ? ''
      : isReached(ratio)
        ? { text: 'reached', paint: ink.green }
        : { text: 'not reached', paint: ink.red };
  return [name, metric, digits(value), reach === null ? '' : digits(reach), verdict];
}

const GOAL_COLUMNS: readonly Column[] = [
  { title: 'goal', align: 'left', fit: 'wrap' },
  { title: 'to be reached', align: 'left', fit: 'wrap', dropRank: 1 },
  { title: 'parts measured', align: 'right' },
  { title: '', align: 'left', quiet: true },
];

function goalRow({ work, reach, measured, parts, verdict }: GoalOutcome, { ink }: Page): Cell[] {
  const paint = verdict === 'MISSED' ? ink.red : ink.green;
  const share = `${measured} of ${Math.max(parts, measured)}`;
  return [work, reach, share, { text: verdict, paint }];
}

const EXAMPLE_COLUMNS: readonly Column[] = [
  { title: 'example', align: 'left' },
  { title: 'load', align: 'left', fit: 'cut' },
  { title: 'reported ms', align: 'right' },
  { title: 'measured ms', align: 'right' },
  { title: 'faster by', align: 'right' },
  { title: 'rows/s', align: 'right', dropRank: 2 },
  { title: 'RSS', align: 'right', dropRank: 1 },
  { title: 'connections', align: 'right', dropRank: 3 },
];

function exampleRow(one: ComparedLoad): Cell[] {
  return [
    `${one.example} (${one.size})`,
    one.what,
    formatMsPerRow(one.reported.msPerRow),
    formatMsPerRow(one.msPerRow),
    `${formatCount(one.timesAsFast)} ×`,
    formatCount(one.rowsPerSecond),
    formatBytes(one.load.rssPeakBytes),
    one.connectionsPeak === null ? NOTHING : formatCount(one.connectionsPeak),
  ];
}

/** Small ratios need more places to say anything. */
function digits(value: number): string {
  return value.toFixed(value < 0.1 ? 3 : 2);
}
