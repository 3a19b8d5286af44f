import type { LoadPlan } from '../plan/plan-types.ts';
import { formatDuration, NOTHING } from './format.ts';
import type { Page } from './page.ts';
import { safeText } from './safe-text.ts';
import { renderTable } from './table.ts';
import type { Cell, Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { title: '', align: 'left' },
  { title: 'strategy', align: 'left' },
  { title: 'estimate', align: 'right' },
  { title: 'why', align: 'left', fit: 'wrap' },
];

/** The estimate of each strategy, or why it cannot do this load; the chosen one is marked. */
export function costTable(load: LoadPlan, page: Page): string {
  const { ink } = page;
  const rows = load.costs.map((cost): readonly Cell[] => {
    const chosen = cost.strategy === load.strategy;
    const paint = chosen ? ink.green : cost.seconds === null ? ink.dim : String;
    const time = cost.seconds === null ? NOTHING : formatDuration(cost.seconds * 1_000);
    return [chosen ? '→' : '', cost.strategy, time, safeText(cost.why)].map((text) => ({
      text,
      paint,
    }));
  });
  return renderTable(COLUMNS, rows, { page, indent: 4 });
}
