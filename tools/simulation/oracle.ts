import type { SimulatedJob } from './simulated-job.ts';
import type { SimulatedTable, TableRow } from './simulated-table.ts';
import { mix } from './random.ts';

/** What a sequential load leaves: all rows in order of precedence, key by key. Shares no code with
 * the simulated table, so that a mistake in one shows. */
export function sequentialTable(job: SimulatedJob): SimulatedTable {
  const table: SimulatedTable = new Map();
  const rows = job.files.flatMap((file) => file.rows);
  for (const key of new Set(rows.map((row) => row.key))) {
    const history = rows.filter((row) => row.key === key);
    let winner = history[0];
    let trail = 0;
    let sum = 0;
    for (const row of history) {
      if (job.policy === 'update') winner = row;
      if (job.policy === 'newest' && winner !== undefined && row.version >= winner.version) {
        winner = row;
      }
      trail = mix(trail, row.id);
      sum += mix(0, row.id);
    }
    if (winner !== undefined) {
      table.set(key, { id: winner.id, version: winner.version, trail, sum });
    }
  }
  return table;
}

/** The first difference, as a sentence; null where there is none. */
export function tableDifference(
  table: SimulatedTable,
  expected: SimulatedTable,
  ordered: boolean,
): string | null {
  if (table.size !== expected.size) {
    return `the table holds ${table.size} keys, the sequential load ${expected.size}`;
  }
  for (const [key, row] of expected) {
    const found = table.get(key);
    if (found === undefined || !sameRow(found, row, ordered)) {
      return `key ${key} is ${JSON.stringify(found)}, after a sequential load ${JSON.stringify(row)}`;
    }
  }
  return null;
}

function sameRow(a: TableRow, b: TableRow, ordered: boolean): boolean {
  if (a.sum !== b.sum) return false;
  return !ordered || (a.id === b.id && a.version === b.version && a.trail === b.trail);
}
