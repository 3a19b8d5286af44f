import type { SimulatedJob } from './simulated-job.ts';
import { upsert, type SimulatedTable } from './simulated-table.ts';

/** The target table and its ledger. A commit is atomic: nothing happens while it happens. */
export interface SimulatedDatabase {
  readonly table: SimulatedTable;
  /** Files that are loaded. */
  readonly ledger: ReadonlySet<number>;
  /** Merges these files, row by row, and writes their ledger rows. */
  commit(files: readonly number[]): void;
  /** Commits of a file after one of higher precedence. */
  readonly overtakings: () => number;
  /** What no database would let happen. */
  readonly problems: readonly string[];
}

export function createSimulatedDatabase(job: SimulatedJob): SimulatedDatabase {
  const table: SimulatedTable = new Map();
  const ledger = new Set<number>();
  const problems: string[] = [];
  let overtakings = 0;
  return {
    table,
    ledger,
    commit(files) {
      for (const file of files) {
        if (ledger.has(file)) problems.push(`file ${file} was loaded twice`);
        if ([...ledger].some((loaded) => loaded > file)) overtakings += 1;
        ledger.add(file);
        for (const row of job.files[file]?.rows ?? []) upsert(table, row, job.policy);
      }
    },
    overtakings: () => overtakings,
    problems,
  };
}
