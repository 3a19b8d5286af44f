import { mix } from './random.ts';

export interface SimulatedRow {
  readonly key: number;
  /** For the policy `newest`. */
  readonly version: number;
  /** Unique in the job: what a row is known by. */
  readonly id: number;
}

export type Policy = 'update' | 'ignore' | 'newest';

/** What the table holds for one key. */
export interface TableRow {
  readonly id: number;
  readonly version: number;
  /**
   * Every row that was upserted here, in order, mixed into one number. The promise speaks of the
   * winner alone; the trail also shows an order that a later winner would have covered up, as happens
   * in tables where files bring different columns.
   */
  readonly trail: number;
  /** The same without the order: each row exactly once. */
  readonly sum: number;
}

export type SimulatedTable = Map<number, TableRow>;

/** Upserts one row, with the meaning that the strategies must keep. */
export function upsert(table: SimulatedTable, row: SimulatedRow, policy: Policy): void {
  const held = table.get(row.key);
  const wins =
    held === undefined ||
    policy === 'update' ||
    (policy === 'newest' && row.version >= held.version);
  const { id, version } = wins ? row : held;
  const trail = mix(held?.trail ?? 0, row.id);
  table.set(row.key, { id, version, trail, sum: (held?.sum ?? 0) + mix(0, row.id) });
}
