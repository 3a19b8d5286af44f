import type { Plan } from '../plan/plan-types.ts';
import type { Page } from './page.ts';
import { safeText } from './safe-text.ts';
import { renderTable } from './table.ts';
import type { Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { title: 'setting', align: 'left' },
  { title: 'value', align: 'right', fit: 'cut' },
  { title: 'from', align: 'left' },
  { title: 'why', align: 'left', fit: 'wrap' },
];

/** The settings of the sessions that load: what the job says stands out, what is left is dim. */
export function settingsSection({ session }: Plan, page: Page): string {
  const { ink } = page;
  const rows = session.map((setting) => {
    const { from } = setting;
    const paint = from === 'job' ? ink.green : from === 'server' ? ink.dim : String;
    return [setting.name, setting.value, from, setting.why].map((text) => ({
      text: safeText(text),
      paint,
    }));
  });
  return `${ink.bold('Session settings')}\n${renderTable(COLUMNS, rows, { page, indent: 2 })}`;
}
