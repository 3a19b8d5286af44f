import type { Pruned } from '../check/prune.ts';
import { formatCount } from './format.ts';
import { labelled, listOf, pageFor, type Page } from './page.ts';
import { safeText } from './safe-text.ts';

/** What was forgotten, or would be, and what stays and why. Ends in a line end. */
export function printPruned(
  pruned: Pruned,
  options: { readonly color: boolean; readonly width: number },
): string {
  const page = pageFor(options);
  const { ledgerSchema, dryRun, before, forgotten, kept, runs } = pruned;
  const verb = dryRun ? 'Would be forgotten' : 'Forgotten';
  const lines = [
    `${verb} of the ledger in schema ${safeText(ledgerSchema)}, older than ${before.slice(0, 10)}:`,
    row(forgotten.replaced, 'entries of files that were loaded again since', page),
    row(forgotten.gone, 'entries of files that are gone', page),
    row(forgotten.tableGone, 'entries of tables that are gone', page),
    row(runs, 'runs', page),
    dryRun ? 'Would stay:' : 'Stay:',
    row(kept.there, 'older entries of files that are there: a run would load them again', page),
    row(kept.last, 'the last ones of those that are gone, of each table and way to load it', page),
    row(kept.unseen, 'older entries of files that are not seen from here', page),
  ];
  return `${[...lines, ...unseenLines(pruned, page)].join('\n')}\n`;
}

const TABLES_SHOWN = 5;

function unseenLines({ unseenTables }: Pruned, page: Page): string[] {
  if (unseenTables.length === 0) return [];
  const tables = safeText(listOf(unseenTables, TABLES_SHOWN));
  const text = `Not one of the latest files of ${tables} is seen from here. Prune where they are loaded; or, if they are all moved away after they are loaded, with --also-unseen.`;
  return [labelled('!', text, { margin: 2, labelWidth: 2 }, page, page.ink.yellow)];
}

const COUNT_WIDTH = 12;

function row(count: number, text: string, page: Page): string {
  const label = formatCount(count).padStart(COUNT_WIDTH - 2);
  return labelled(label, text, { margin: 0, labelWidth: COUNT_WIDTH }, page);
}
