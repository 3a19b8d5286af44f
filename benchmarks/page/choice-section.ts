import type { BenchmarkCase } from '../results.ts';
import {
  bestOfStrategy,
  countedRuns,
  medianOf,
  scenariosOf,
  STRATEGY_ORDER,
} from './case-figures.ts';
import { formatMs, formatRatio } from './numbers.ts';
import { number, text, type DataTable, type Section } from './page-model.ts';

/** How far the cost model was off: what it predicted for each strategy beside what was measured. */
export function choiceSection(cases: readonly BenchmarkCase[]): Section {
  const scenarios = scenariosOf(cases);
  const choices = scenarios.flatMap((scenario) => choiceOf(cases, scenario));
  const predictions = scenarios.flatMap((scenario) => predictionsOf(cases, scenario));
  const chosen: DataTable = {
    columns: [
      ...[text('Scenario'), text('auto chose'), text('Fastest strategy')],
      number('auto ÷ fastest (time)'),
    ],
    rows: choices,
  };
  const predicted: DataTable = {
    columns: [
      ...[text('Scenario'), text('Strategy'), number('Predicted (s)'), number('Measured (s)')],
      number('Predicted ÷ measured'),
    ],
    rows: predictions,
  };
  return {
    id: 'choice',
    title: 'What auto chose, and what the cost model predicted',
    lead: 'All at the concurrency that served each strategy best.',
    empty: 'Nothing was run with the strategy auto.',
    figures: [
      { title: 'Choice', chart: null, table: chosen },
      { title: 'Prediction', chart: null, table: predicted },
    ].filter(({ table }) => table.rows.length > 0),
  };
}

function choiceOf(cases: readonly BenchmarkCase[], scenario: string): string[][] {
  const auto = bestOfStrategy(cases, scenario, 'auto');
  if (auto === null) return [];
  const others = STRATEGY_ORDER.filter((strategy) => strategy !== 'auto')
    .map((strategy) => bestOfStrategy(cases, scenario, strategy))
    .filter((one) => one !== null)
    .sort((a, b) => wall(a) - wall(b));
  const [first] = others;
  if (first === undefined) return [];
  const ratio = wall(auto) / wall(first);
  return [[scenario, auto.chosen ?? '', first.strategy ?? '', formatRatio(ratio)]];
}

function predictionsOf(cases: readonly BenchmarkCase[], scenario: string): string[][] {
  return STRATEGY_ORDER.flatMap((strategy) => {
    const one = bestOfStrategy(cases, scenario, strategy);
    const loaded = one?.chosen ?? (strategy === 'auto' ? null : strategy);
    const [run] = one === null ? [] : countedRuns(one);
    const seconds = loaded === null ? undefined : run?.predicted[loaded];
    if (one === null || seconds === undefined) return [];
    const measured = wall(one) / 1_000;
    return [
      [
        ...[scenario, strategy, formatRatio(seconds), formatMs(wall(one))],
        formatRatio(seconds / measured),
      ],
    ];
  });
}

function wall(one: BenchmarkCase): number {
  return medianOf(one, (run) => run.wallMs) ?? 0;
}
