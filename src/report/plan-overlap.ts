import { LIMITS } from '../limits.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import { formatCount, formatShare } from './format.ts';
import { moreLines, paragraph } from './page.ts';
import type { Page } from './page.ts';
import { fileLabel } from './plan-files.ts';
import { safeText } from './safe-text.ts';
import { renderTable } from './table.ts';
import type { Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { title: 'later file', align: 'left', fit: 'cut' },
  { title: 'shares keys with', align: 'left', fit: 'cut' },
  { title: 'sampled keys shared', align: 'right', dropRank: 1 },
  { title: 'share of its keys', align: 'right' },
];

/** What the sample found, and how much it may have missed. */
export function overlapLines(load: LoadPlan, page: Page): readonly string[] {
  const { overlap } = load;
  const sentence = paragraph(safeText(overlap.sentence), 4, page);
  if (!overlap.sampled) return [sentence];
  const multiplicity = `${overlap.multiplicity.toFixed(2)} rows per key over all files; shares are estimates.`;
  const lines = [sentence, paragraph(multiplicity, 4, page)];
  if (overlap.pairs.length === 0) return lines;
  const shownMax = LIMITS.planPairsShownMax;
  const rows = overlap.pairs
    .slice(0, shownMax)
    .map((pair) => [
      fileLabel(load, pair.later),
      fileLabel(load, pair.earlier),
      formatCount(pair.sharedSampledKeys),
      formatShare(pair.share),
    ]);
  return [
    ...lines,
    renderTable(COLUMNS, rows, { page, indent: 4 }),
    ...moreLines(overlap.pairs.length, shownMax, page),
  ];
}
