import { ETL } from '../../benchmarks/page/case-figures.ts';
import { markdownTable, withTable } from '../markdown.ts';
import { exampleTable } from './example-table.ts';
import { goalTable, ratioTable } from './goal-tables.ts';
import { casesOf, type KeptResults } from './kept-results.ts';
import { concurrencyTable, memoryTable, sizeTable } from './scaling-tables.ts';
import { choiceTable, originalTable, strategyTable } from './strategy-tables.ts';
import { peerTable } from './peer-table.ts';
import { tunedTable, type KeptTuning } from './tuned-table.ts';

/** The text with all tables of measurements made anew from the kept results. */
export function withResultTables(
  text: string,
  kept: readonly KeptResults[],
  tunings: readonly KeptTuning[],
): string {
  const cases = casesOf(kept);
  const ofStrategies = casesOf(kept, ({ strategy }) => strategy !== null && strategy !== 'auto');
  const tables: Readonly<Record<string, string>> = {
    certificates: certificateTable(kept),
    goals: goalTable(kept),
    ratios: ratioTable(kept),
    examples: exampleTable(kept),
    tuned: tunedTable(tunings),
    strategies: strategyTable(ofStrategies),
    original: originalTable(ofStrategies),
    choice: choiceTable(ofStrategies),
    peers: peerTable(casesOf(kept, ({ contender }) => contender !== ETL)),
    concurrency: concurrencyTable(cases),
    memory: memoryTable(cases),
    size: sizeTable(cases),
  };
  return Object.entries(tables).reduce((done, [name, table]) => withTable(done, name, table), text);
}

function certificateTable(kept: readonly KeptResults[]): string {
  return markdownTable(
    ['Results', 'Measured', 'Machine', 'PostgreSQL', 'shared_buffers', 'Node', 'Commit'],
    kept.map(({ name, results: { certificate } }) => {
      const { machine, server, node, commit, startedAt } = certificate;
      return [
        `\`benchmarks/results/${name}\``,
        startedAt.slice(0, 10),
        `${machine.cores} × ${machine.cpu}, ${Math.round(machine.memoryBytes / 1e9)} GB`,
        server.version.split(' ')[0] ?? '',
        server.settings['shared_buffers'] ?? '',
        node,
        (commit ?? '').slice(0, 7),
      ];
    }),
  );
}
