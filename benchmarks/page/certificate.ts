import type { BenchmarkCase, Certificate } from '../results.ts';
import { caseLabel } from './case-figures.ts';
import { escaped, tableMarkup } from './markup.ts';
import { formatCount, formatMs, formatSize } from './numbers.ts';
import { number, text } from './page-model.ts';

/** Where the results were born. */
export function certificateMarkup(certificate: Certificate): string {
  const { machine, server } = certificate;
  const settings = Object.entries(server.settings).map(([name, value]) => `${name} = ${value}`);
  const facts: readonly (readonly [string, string])[] = [
    ['Suite', `${certificate.suite}, seed ${certificate.seed}`],
    ['Time', `${certificate.startedAt} to ${certificate.finishedAt}`],
    ['Machine', `${machine.cpu}, ${machine.cores} cores, ${formatSize(machine.memoryBytes)}`],
    ['Platform', `${machine.platform}, Node ${certificate.node}`],
    ['etl', `${certificate.etl}, commit ${certificate.commit ?? 'not known'}`],
    ['Server', `PostgreSQL ${server.version}${server.embedded ? ', embedded' : ''}`],
    ['Settings of the server', settings.join(', ')],
  ];
  const list = facts.map(([name, fact]) => `<dt>${escaped(name)}</dt><dd>${escaped(fact)}</dd>`);
  return `<section id="certificate"><h2>Birth certificate</h2>
<dl>${list.join('\n')}</dl></section>`;
}

/** Every run that was measured, warm-ups too. */
export function rawRunsMarkup(cases: readonly BenchmarkCase[]): string {
  const rows = cases.flatMap((one) =>
    one.runs.map((run, place) => [
      ...[one.scenario, caseLabel(one), run.warmUp ? 'warm-up' : String(place + 1)],
      ...[formatCount(one.rows), formatMs(run.wallMs), formatMs(run.clientCpuMs)],
      ...[formatMs(run.serverCpuMs), formatSize(run.rssPeakBytes)],
      ...[formatCount(run.connectionsPeak), formatSize(run.walBytes), formatCount(run.lockWaits)],
      ...[run.correct ? 'right' : 'WRONG', run.digest],
    ]),
  );
  const skipped = cases.filter((one) => one.skipped !== null);
  const table = {
    columns: [
      ...[text('Scenario'), text('Contender'), text('Run'), number('Rows'), number('Wall (s)')],
      ...[number('Client CPU (s)'), number('Server CPU (s)'), number('Peak RSS')],
      ...[
        number('Connections'),
        number('WAL'),
        number('Lock waits'),
        text('Table'),
        text('Digest'),
      ],
    ],
    rows,
  };
  const body =
    rows.length === 0
      ? '<p class="empty">Nothing was run.</p>'
      : `<details><summary>All ${formatCount(rows.length)} runs</summary>
${tableMarkup(table, 'Every run')}</details>`;
  return `<section id="runs"><h2>Every run</h2>
${body}
${skippedMarkup(skipped)}</section>`;
}

function skippedMarkup(skipped: readonly BenchmarkCase[]): string {
  if (skipped.length === 0) return '';
  const table = {
    columns: [text('Scenario'), text('Contender'), text('Why it was not run')],
    rows: skipped.map((one) => [one.scenario, caseLabel(one), one.skipped ?? '']),
  };
  return `<h3>Not run</h3>\n${tableMarkup(table, 'Not run')}`;
}
