import type { TableComparison, VerifyReport } from '../check/verify/verify-types.ts';
import type { Difference } from '../target/compared-rows.ts';
import { formatCount, formatCounted, formatDuration } from './format.ts';
import { labelled, pageFor, paragraph, type Page } from './page.ts';
import { safeText } from './safe-text.ts';

/** The tables of a job against their files, and the first rows that differ. Ends in a line end. */
export function printVerify(
  report: VerifyReport,
  options: { readonly color: boolean; readonly width: number },
): string {
  const page = pageFor(options);
  const verdict = report.equal ? page.ink.green('Equal:') : page.ink.red('Different:');
  const differing = report.tables.filter((table) => !table.equal).length;
  const tables = formatCounted(report.tables.length, 'table');
  const closing = report.equal
    ? `${tables} as their files, loaded one after another, leave them, exit code 0`
    : `${formatCount(differing)} of ${tables} not as the files leave them, exit code 1`;
  const blocks = report.tables.map((table) => tableBlock(table, page).join('\n'));
  return `${[...blocks, `${verdict} ${closing}`].join('\n\n')}\n`;
}

function tableBlock(table: TableComparison, page: Page): string[] {
  const { ink } = page;
  const key = table.key.length === 0 ? 'no key' : `key ${table.key.join(', ')}`;
  const files = formatCounted(table.files, 'file');
  const facts = `${key}, ${table.onConflict.join(' and ')}, ${files}, ${formatCounted(table.rowsRead, 'row')} read, ${formatDuration(table.durationMs)}`;
  const more = table.missing + table.extra + table.changed - table.differences.length;
  return [
    `${ink.bold(safeText(table.table))}  ${safeText(facts)}`,
    paragraph(safeText(outcome(table)), 2, page),
    ...toleratedTexts(table).map((text) => paragraph(text, 2, page)),
    ...table.differences.flatMap((difference) => differenceLines(difference, page)),
    ...(more > 0 && table.differences.length > 0
      ? [ink.dim(`    and ${formatCount(more)} more`)]
      : []),
    ...(table.notCompared.length === 0
      ? []
      : [paragraph(safeText(`Not compared: ${table.notCompared.join(', ')}.`), 2, page)]),
    ...table.notices.map((notice) =>
      labelled('!', safeText(notice), { margin: 2, labelWidth: 2 }, page, ink.yellow),
    ),
  ];
}

function outcome(table: TableComparison): string {
  const noun = table.key.length === 0 ? 'row' : 'key';
  const counted = formatCounted(table.keys, noun);
  const missing = table.key.length === 0 ? 'missing' : 'missing from the table';
  const scope = table.wholeTable ? ' and nothing else' : '';
  if (table.equal) return `${counted} of the files in the table${scope}, as they should be`;
  const parts = [
    ...(table.missing === 0 ? [] : [`${formatCount(table.missing)} ${missing}`]),
    ...(table.changed === 0 ? [] : [`${formatCount(table.changed)} with other values`]),
    ...(table.extra === 0 ? [] : [`${formatCount(table.extra)} in the table but not in the files`]),
  ];
  return `${counted} in the files: ${parts.join(', ')}`;
}

/** What differs and proves nothing, since rows that were there before explain it. */
function toleratedTexts({ kept, newer }: TableComparison): string[] {
  const whole = '--whole-table takes that for a difference.';
  return [
    ...(kept === 0
      ? []
      : [
          `${formatCounted(kept, 'key')} with other values, as rows that were there before the load keep with ignore. ${whole}`,
        ]),
    ...(newer === 0
      ? []
      : [
          `${formatCounted(newer, 'key')} with a newer row than the files have, which stays with newest. ${whole}`,
        ]),
  ];
}

function differenceLines({ kind, key, columns, copies }: Difference, page: Page): string[] {
  const { ink } = page;
  const paint = { missing: ink.red, extra: ink.yellow, changed: ink.yellow }[kind];
  const names = Object.entries(key).map(([name, value]) => `${name}=${valueText(value)}`);
  const counts =
    copies === null
      ? ''
      : `: ${formatCount(copies.reference)} in the files, ${formatCount(copies.table)} in the table`;
  const text = safeText(`${names.join(', ')}${counts}`);
  const head = labelled(kind, text, { margin: 4, labelWidth: 9 }, page, paint);
  const values = columns.map(({ column, reference, table }) =>
    paragraph(
      safeText(`${column}: files ${valueText(reference)}, table ${valueText(table)}`),
      15,
      page,
    ),
  );
  return [head, ...values];
}

function valueText(value: string | null): string {
  return value === null ? 'NULL' : JSON.stringify(value);
}
