import {
  cpuPerMillion,
  ETL,
  medianOf,
  rowsPerSecond,
  scenariosOf,
  totalCpuPerMillion,
} from '../../benchmarks/page/case-figures.ts';
import { formatCount, formatMs, formatRatio, formatSize } from '../../benchmarks/page/numbers.ts';
import type { BenchmarkCase } from '../../benchmarks/results.ts';
import { markdownTable } from '../markdown.ts';

/** Scenarios that were run with more than two numbers of workers. */
export function concurrencyTable(cases: readonly BenchmarkCase[]): string {
  const autos = cases.filter((one) => one.contender === ETL && one.strategy === 'auto');
  const rows = scenariosOf(autos).flatMap((scenario) => {
    const own = autos.filter((one) => one.scenario === scenario);
    if (own.length < 3) return [];
    return own.map((one) => [
      `\`${scenario}\``,
      formatCount(one.concurrency),
      formatMs(medianOf(one, (run) => run.wallMs)),
      formatCount(rowsPerSecond(one)),
      formatRatio(totalCpuPerMillion(one)),
      formatCount(medianOf(one, (run) => run.lockWaits)),
      formatCount(medianOf(one, (run) => run.connectionsPeak)),
      formatSize(medianOf(one, (run) => run.rssPeakBytes)),
    ]);
  });
  const head = ['Scenario', 'Workers', 'Seconds', 'Rows/s', 'CPU s per million'];
  return markdownTable([...head, 'Lock waits seen', 'Connections', 'Peak RSS'], rows);
}

/** Peak memory of the client by size of one file. */
export function memoryTable(cases: readonly BenchmarkCase[]): string {
  const own = cases.filter((one) => one.scenario.startsWith('rss-') && one.runs.length > 0);
  const rows = own.map((one) => [
    `\`${one.scenario}\``,
    formatSize(one.bytes),
    formatCount(one.concurrency),
    formatSize(medianOf(one, (run) => run.rssPeakBytes)),
    formatRatio(clientSecondsPerGb(one)),
  ]);
  return markdownTable(['Scenario', 'Bytes', 'Workers', 'Peak RSS', 'Client CPU s per GB'], rows);
}

/** What a row costs as the load grows. */
export function sizeTable(cases: readonly BenchmarkCase[]): string {
  const own = cases.filter((one) => one.scenario.startsWith('cost-') && one.runs.length > 0);
  const rows = own.map((one) => [
    formatCount(one.rows),
    formatCount(rowsPerSecond(one)),
    formatRatio(cpuPerMillion(one, 'clientCpuMs')),
    formatRatio(cpuPerMillion(one, 'serverCpuMs')),
  ]);
  const head = ['Rows', 'Rows/s', 'Client CPU s per million', 'Server CPU s per million'];
  return markdownTable(head, rows);
}

function clientSecondsPerGb(one: BenchmarkCase): number | null {
  const cpuMs = medianOf(one, (run) => run.clientCpuMs);
  return cpuMs === null || one.bytes === 0 ? null : (cpuMs / one.bytes) * 1e6;
}
