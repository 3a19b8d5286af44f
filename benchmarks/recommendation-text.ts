import { formatCount, formatShare } from '../src/report/format.ts';
import { paragraph, type Page } from '../src/report/page.ts';
import { renderTable, type Cell, type Column } from '../src/report/table.ts';
import type { Choice, Recommendation } from './tune/recommendation.ts';

/** What was measured for each setting, what is recommended, and why. */
export function recommendationText(recommendation: Recommendation, page: Page): string {
  const { choices, notices } = recommendation;
  const sections = choices.map((choice) => choiceText(choice, page));
  const notes = notices.map((notice) => paragraph(notice, 0, page));
  return [...sections, ...(notes.length === 0 ? [] : [notes.join('\n')])].join('\n\n');
}

function choiceText(choice: Choice, page: Page): string {
  const { setting, current, recommended, reason } = choice;
  const { bold } = page.ink;
  const change =
    current === recommended ? `stays ${recommended}` : `${recommended}, instead of ${current}`;
  const rows = choice.candidates.map(({ value, rowsPerSecond, share }): Cell[] => [
    String(value),
    formatCount(rowsPerSecond),
    formatShare(share),
    value === recommended ? { text: 'recommended', paint: page.ink.green } : '',
  ]);
  return [
    `${bold(setting)}: ${change}`,
    paragraph(reason, 2, page),
    renderTable(COLUMNS, rows, { page, indent: 2 }),
  ].join('\n');
}

const COLUMNS: readonly Column[] = [
  { title: 'value', align: 'right' },
  { title: 'rows/s', align: 'right' },
  { title: 'of the fastest', align: 'right' },
  { title: '', align: 'left', quiet: true },
];
