import { comparedLoads, formatMsPerRow } from '../../benchmarks/examples/example-result.ts';
import { formatCount, formatMs, formatSize } from '../../benchmarks/page/numbers.ts';
import { markdownTable } from '../markdown.ts';
import { examplesOf, type KeptResults } from './kept-results.ts';

/** The five jobs: what their teams had reported beside what was measured. */
export function exampleTable(kept: readonly KeptResults[]): string {
  const loads = examplesOf(kept).flatMap(({ server, result }) =>
    comparedLoads([result]).map((one) => ({ ...one, server })),
  );
  const rows = loads.map((one) => [
    `\`${one.example}\`: ${one.what.replaceAll('`', '')}`,
    one.server,
    formatCount(one.load.rows),
    reportedText(one.reported.msPerRowBefore, one.reported.msPerRow),
    one.reported.msPerRowWanted === null ? '' : formatMsPerRow(one.reported.msPerRowWanted),
    formatMsPerRow(one.msPerRow),
    `${formatCount(one.timesAsFast)} ×`,
    formatCount(one.rowsPerSecond),
    formatMs(one.load.cpuMs),
    formatSize(one.load.rssPeakBytes),
    one.connectionsPeak === null ? '' : formatCount(one.connectionsPeak),
  ]);
  const head = [
    'Job',
    'PostgreSQL',
    'Rows',
    'Reported ms a row',
    'Wanted',
    'Measured',
    'Faster by',
  ];
  return markdownTable([...head, 'Rows/s', 'Client CPU s', 'Peak RSS', 'Connections'], rows);
}

function reportedText(before: number | null, after: number): string {
  const last = formatMsPerRow(after);
  return before === null ? last : `${formatMsPerRow(before)}, then ${last}`;
}
