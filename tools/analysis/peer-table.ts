import {
  ETL,
  medianOf,
  rowsPerSecond,
  scenariosOf,
  totalCpuPerMillion,
  wrongRuns,
} from '../../benchmarks/page/case-figures.ts';
import { formatCount, formatRatio } from '../../benchmarks/page/numbers.ts';
import type { BenchmarkCase } from '../../benchmarks/results.ts';
import { markdownTable } from '../markdown.ts';

/** What people use instead, on the same data in the same run; times by row, since some get fewer. */
export function peerTable(cases: readonly BenchmarkCase[]): string {
  const rows = scenariosOf(cases).flatMap((scenario) => {
    const here = cases.filter((one) => one.scenario === scenario);
    const auto = here.find((one) => one.strategy === 'auto' && one.contender === ETL);
    const peers = here.filter((one) => one.contender !== ETL && rowsPerSecond(one) !== null);
    if (auto === undefined || peers.length === 0) return [];
    return [auto, ...peers].map((one) => [
      `\`${scenario}\``,
      one.contender === ETL ? `**etl** (${one.chosen ?? ''})` : one.contender,
      formatCount(one.rows),
      formatCount(rowsPerSecond(one)),
      formatRatio(totalCpuPerMillion(one)),
      formatRatio((rowsPerSecond(auto) ?? 0) / (rowsPerSecond(one) ?? 1)),
      wrongRuns(one) === 0 ? 'right' : `**wrong** in ${wrongRuns(one)} of ${one.runs.length} runs`,
      formatCount(medianOf(one, (run) => run.lockWaits)),
    ]);
  });
  const head = ['Scenario', 'By', 'Rows', 'Rows/s', 'CPU s per million', 'etl is × as fast'];
  return markdownTable([...head, 'Table', 'Lock waits seen'], rows);
}
