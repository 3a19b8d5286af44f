import type { LoadPlan, Plan } from '../plan/plan-types.ts';
import { formatBytes, formatCount, formatCounted } from './format.ts';
import { labelled, listOf, pageFor, paragraph } from './page.ts';
import type { Ink, Page } from './page.ts';
import { conflictLines } from './plan-conflicts.ts';
import { costTable } from './plan-costs.ts';
import { fileLines } from './plan-files.ts';
import { lookupLines } from './plan-lookups.ts';
import { indexLines } from './plan-indexes.ts';
import { overlapLines } from './plan-overlap.ts';
import { settingsSection } from './plan-settings.ts';
import { policyText, tableText, targetLines } from './plan-table.ts';
import { safeLines, safeText } from './safe-text.ts';

interface PlanTextOptions {
  readonly color: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** All that the planner found (`etl plan`); otherwise a few lines per load (`etl run`). */
  readonly verbose: boolean;
  /** The settings of the sessions, too (`--verbose`). */
  readonly settings?: boolean;
}

/** The plan as people read it. Ends in a line end. */
export function printPlan(plan: Plan, options: PlanTextOptions): string {
  const page = pageFor(options);
  const loads = plan.loads.map((load, index) => {
    if (!options.verbose) return briefLoad(load, page);
    return fullLoad(load, loadTitle(load, index, plan.loads.length), plan, page);
  });
  const settings = options.settings === true ? [settingsSection(plan, page)] : [];
  return `${[serverLine(plan, page), ...loads, ...settings].join('\n\n')}\n`;
}

function serverLine(plan: Plan, page: Page): string {
  const { server } = plan;
  const kind = server.embedded ? 'embedded PostgreSQL' : 'PostgreSQL';
  const text = `${kind} ${server.version}, database ${server.database} at ${server.address}`;
  return `${page.ink.bold(`Plan ${plan.planId}`)}\n${paragraph(safeText(text), 2, page)}`;
}

function loadTitle(load: LoadPlan, index: number, count: number): string {
  const name = safeText(load.table.sqlName);
  return count === 1 ? name : `${name} (load ${index + 1} of ${count})`;
}

function briefLoad(load: LoadPlan, page: Page): string {
  const { ink } = page;
  const skipped = load.files.filter((file) => file.skip !== null).length;
  const notices = load.notices.map((notice) => noticeLine(notice, 2, page));
  if (load.units.length === 0 && skipped > 0) {
    const title = `${ink.bold(safeText(load.table.sqlName))}  nothing to load`;
    return [`${title}, ${formatCounted(skipped, 'file')} loaded already`, ...notices].join('\n');
  }
  const facts = [
    ...sizeFacts(load),
    ...(skipped === 0 ? [] : [`${formatCount(skipped)} already loaded`]),
    keyFact(load),
  ];
  return [
    `${ink.bold(safeText(load.table.sqlName))}  ${facts.join(', ')}`,
    ...(load.targets ?? []).map(({ table }) =>
      paragraph(`and into ${safeText(table.sqlName)}, in the same transaction`, 2, page),
    ),
    paragraph(strategyText(load), 2, page),
    paragraph(safeText(load.overlap.sentence), 2, page),
    ...ddlLines(load, ink),
    ...notices,
  ].join('\n');
}

function fullLoad(load: LoadPlan, title: string, plan: Plan, page: Page): string {
  const { ink } = page;
  const fact = (label: string, text: string) =>
    labelled(label, text, { margin: 2, labelWidth: 11 }, page);
  const head = [
    ink.bold(title),
    fact('Table', tableText(load.table)),
    fact('Key', load.key.length === 0 ? 'none' : safeText(load.key.join(', '))),
    fact('Same key', policyText(load)),
    ...columnFacts(load).map(([label, text]) => fact(label, safeText(text))),
    fact('Input', sizeFacts(load).join(', ')),
    fact('Strategy', strategyText(load)),
  ];
  const couplings = load.couplings.map((coupling) =>
    labelled('-', safeText(coupling.sentence), { margin: 4, labelWidth: 2 }, page),
  );
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['Creates', ddlLines(load, ink)],
    ['Further tables, in the same transaction', targetLines(load, page)],
    ['Looks up', lookupLines(load, page)],
    ['Files, in order of precedence', fileLines(load, page)],
    ['Overlap', overlapLines(load, page)],
    ['Conflict graph', conflictLines(load, plan.settings.deterministic, page)],
    ['Estimated cost', load.costs.length === 0 ? [] : [costTable(load, page)]],
    ['What ties rows of different keys together', couplings],
    ['Indexes', indexLines(load, page)],
    ['Notices', load.notices.map((notice) => noticeLine(notice, 4, page))],
  ];
  const shown = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([heading, lines]) => `  ${ink.bold(heading)}\n${lines.join('\n')}`);
  return [head.join('\n'), ...shown].join('\n\n');
}

function columnFacts({ insertOnly, compare }: LoadPlan): (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = [];
  if (compare !== undefined) {
    facts.push(['Compare', `a row is written where ${compare.join(' or ')} differs`]);
  }
  if (insertOnly !== undefined) {
    facts.push(['Kept', `${insertOnly.join(', ')}: written with a new row, and never changed`]);
  }
  return facts;
}

function sizeFacts(load: LoadPlan): readonly string[] {
  const files = load.files.filter((file) => file.skip === null);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const rows = files.reduce((sum, file) => sum + file.estimatedRows, 0);
  const exact = files.every((file) => file.rowsExact);
  return [
    `${formatCounted(files.length, 'file')} to load`,
    formatBytes(bytes),
    `${exact ? '' : 'about '}${formatCounted(rows, 'row')}`,
  ];
}

function keyFact(load: LoadPlan): string {
  return load.key.length === 0 ? 'no key' : `key ${safeText(listOf(load.key, 4))}`;
}

function strategyText(load: LoadPlan): string {
  const workers = formatCounted(load.concurrency, 'worker');
  return `${load.strategy}, ${workers}: ${safeText(load.reason)}`;
}

function ddlLines(load: LoadPlan, ink: Ink): readonly string[] {
  return [load, ...(load.targets ?? [])].flatMap(({ table: { create } }) =>
    create === null ? [] : safeLines(create.trimEnd()).map((line) => `    ${ink.cyan(line)}`),
  );
}

function noticeLine(notice: string, margin: number, page: Page): string {
  return labelled('!', safeText(notice), { margin, labelWidth: 2 }, page, page.ink.yellow);
}
