import type { SimulatedJob } from './simulated-job.ts';
import { upsert, type SimulatedTable } from './simulated-table.ts';

/** The target table and its ledger. A commit is atomic: nothing happens while it happens. */
export interface SimulatedDatabase {
  readonly table: SimulatedTable;
  /** Files that are loaded. */
  readonly ledger: ReadonlySet<number>;
  /**
   * Inserts a key into the table in the unit's transaction, which stays open; false where the key is
   * there already. Another unit that wants the key must not exist before `release`.
   */
  hold(unit: number, key: number): boolean;
  /** The unit's transaction has ended, or its keys are known to be committed. */
  release(unit: number): void;
  /** The unit begins to merge these files. */
  merging(unit: number, files: readonly number[]): void;
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
  /** Keys in open transactions of units that copy directly. */
  const held = new Map<number, number>();
  const refuseHeld = (unit: number, key: number): void => {
    const holder = held.get(key);
    if (holder === undefined || holder === unit || job.mode === 'free') return;
    problems.push(`unit ${unit} waits for key ${key} in the transaction of unit ${holder}`);
  };
  let overtakings = 0;
  return {
    table,
    ledger,
    hold(unit, key) {
      refuseHeld(unit, key);
      if (held.has(key) || table.has(key)) return false;
      held.set(key, unit);
      return true;
    },
    release(unit) {
      for (const [key, holder] of held) if (holder === unit) held.delete(key);
    },
    merging(unit, files) {
      for (const file of files) {
        for (const { key } of job.files[file]?.rows ?? []) refuseHeld(unit, key);
      }
    },
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
