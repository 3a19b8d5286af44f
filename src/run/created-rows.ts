import type { LoadPlan } from '../plan/plan-types.ts';
import type { RunEvent } from './events.ts';
import type { LoadReport } from './report-types.ts';

/** Counts the rows that the lookups of one load create, as they are told. */
export interface CreatedRows {
  /** Takes the events of the load, and passes them on. */
  readonly onEvent: (event: RunEvent) => void;
  /** What the report says of the lookups; nothing where the load has none. */
  report(load: LoadPlan): Pick<LoadReport, 'lookups'>;
}

export function countCreated(onEvent: (event: RunEvent) => void): CreatedRows {
  const rows = new Map<string, number>();
  return {
    onEvent: (event) => {
      if (event.kind === 'rows-created') {
        rows.set(event.table, (rows.get(event.table) ?? 0) + event.rows);
      }
      onEvent(event);
    },
    report: ({ table, targets = [] }) => {
      const columns = [table, ...targets.map((target) => target.table)].flatMap(
        (one) => one.columns,
      );
      const tables = new Set(columns.flatMap(({ lookup }) => lookup?.sqlName ?? []));
      if (tables.size === 0) return {};
      return {
        lookups: [...tables].map((name) => ({ table: name, created: rows.get(name) ?? 0 })),
      };
    },
  };
}
