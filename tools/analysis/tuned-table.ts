import { readdir, readFile } from 'node:fs/promises';
import { sureSettings, type Recommendation } from '../../benchmarks/tune/recommendation.ts';
import { formatCount, formatSize } from '../../benchmarks/page/numbers.ts';
import { formatCounted, formatShare } from '../../src/report/format.ts';
import { markdownTable } from '../markdown.ts';

/** What `etl benchmark --config` found for one of the configurations, with the name of its file. */
export interface KeptTuning {
  readonly name: string;
  readonly recommendation: Recommendation;
}

export const TUNED_FOLDER = new URL('../../benchmarks/results/tuned/', import.meta.url);

export async function readKeptTunings(): Promise<readonly KeptTuning[]> {
  const names = (await readdir(TUNED_FOLDER)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, TUNED_FOLDER), 'utf8');
      return { name, recommendation: JSON.parse(text) as Recommendation };
    }),
  );
}

/** For each configuration and setting: the server, what was tried, and what came of it. */
export function tunedTable(kept: readonly KeptTuning[]): string {
  const rows = kept.flatMap(({ name, recommendation }) => {
    const { server, machine, sample, choices } = recommendation;
    const sure = sureSettings(recommendation);
    const where =
      `PostgreSQL ${server.version.split(' ')[0] ?? ''}, ` +
      `shared_buffers ${server.settings['shared_buffers'] ?? '?'}, ${machine.cores} processors`;
    return choices.map(({ setting, current, recommended, reason, candidates, rounds }) => [
      `\`config/${name}\``,
      where,
      `${formatCount(sample.files)} files, ${formatSize(sample.bytes)}`,
      `\`${setting}\``,
      String(current),
      setting in sure ? `**${recommended}**` : `${recommended}, not sure`,
      candidates
        .map(({ value, rowsPerSecond, share }) => {
          return `${value}: ${formatCount(rowsPerSecond)} (${formatShare(share)})`;
        })
        .join(', '),
      `${reason} (${formatCounted(rounds, 'round')})`,
    ]);
  });
  const head = ['Configuration', 'Server', 'Sample', 'Setting', 'Was', 'Recommended'];
  return markdownTable([...head, 'Rows/s of each value (of the fastest)', 'Why'], rows);
}
