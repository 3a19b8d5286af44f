import { LIMITS } from '../limits.ts';
import type { ConflictEdge, LoadPlan, UnitPlan } from '../plan/plan-types.ts';
import { formatCount, formatCounted, formatShare } from './format.ts';
import { listOf, moreLines, paragraph } from './page.ts';
import type { Page } from './page.ts';
import { fileLabel } from './plan-files.ts';

/** Predecessors named on one line; the rest is counted. */
const BEFORE_SHOWN_MAX = 3;

/** Which unit of work merges after which, as text: one line per unit that has to wait. */
export function conflictLines(
  load: LoadPlan,
  deterministic: boolean,
  page: Page,
): readonly string[] {
  if (load.units.length === 0) return [];
  const units = formatCounted(load.units.length, 'unit');
  const edges = `${formatCounted(load.conflicts.length, 'predicted conflict')} among ${units} of work.`;
  const head = paragraph(`${edges} ${ruleText(load, deterministic)}`, 4, page);
  const byAfter = groupByAfter(load.conflicts);
  const shownMax = LIMITS.planEdgesShownMax;
  const lines = [...byAfter]
    .sort(([a], [b]) => a - b)
    .slice(0, shownMax)
    .map(([after, into]) => paragraph(edgeText(load, after, into), 4, page));
  return [head, ...lines, ...moreLines(byAfter.size, shownMax, page)];
}

/** What holds for the pairs that the graph does not name. */
function ruleText(load: LoadPlan, deterministic: boolean): string {
  switch (load.strategy) {
    case 'sequential':
      return 'Each unit merges after the one before it; staging runs ahead.';
    case 'partitioned':
      return 'Each worker merges the keys that it owns, so no unit waits for another.';
    case 'full-parallel':
    case 'hybrid':
      return deterministic
        ? 'Before each merge, all other pairs are proved to share no key.'
        : 'Other pairs are not proved (deterministic is off).';
  }
}

function groupByAfter(
  edges: readonly ConflictEdge[],
): ReadonlyMap<number, readonly ConflictEdge[]> {
  const groups = new Map<number, ConflictEdge[]>();
  for (const edge of edges) {
    const group = groups.get(edge.after);
    if (group === undefined) groups.set(edge.after, [edge]);
    else group.push(edge);
  }
  return groups;
}

function edgeText(load: LoadPlan, after: number, edges: readonly ConflictEdge[]): string {
  const before = edges
    .toSorted((a, b) => b.share - a.share || a.before - b.before)
    .map((edge) => `${unitLabel(load, edge.before)} (${formatShare(edge.share)})`);
  return `${unitLabel(load, after)} merges after ${listOf(before, BEFORE_SHOWN_MAX)}`;
}

function unitLabel(load: LoadPlan, ordinal: number): string {
  const files = load.units[ordinal]?.files ?? [];
  const [first] = files;
  const last = files.at(-1);
  if (first === undefined || last === undefined) return `unit ${formatCount(ordinal + 1)}`;
  if (files.length === 1) return fileLabel(load, first);
  return groupLabel(load, files, first, last);
}

function groupLabel(load: LoadPlan, files: UnitPlan['files'], first: number, last: number): string {
  return `[${formatCounted(files.length, 'file')}: ${fileLabel(load, first)} … ${fileLabel(load, last)}]`;
}
