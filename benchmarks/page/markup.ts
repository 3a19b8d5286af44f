import { NOTHING } from '../../src/report/format.ts';
import type { DataTable, Figure, Section } from './page-model.ts';

/** Markup as text. All that comes from outside goes through `escaped`. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/**
 * A JSON block that no text inside can end early: a string may hold `</script>` or `<!--`, but no
 * `<` is left. The block is data, so the policy of the page need not allow it.
 */
export function jsonBlock(id: string, value: unknown): string {
  const json = JSON.stringify(value).replaceAll('<', '\\u003c');
  return `<script type="application/json" id="${escaped(id)}">${json}</script>`;
}

/** A section of the page; `firstChart` is the number that its first plot gets. */
export function sectionMarkup(section: Section, firstChart: number): string {
  let chart = firstChart;
  const figures = section.figures.map((figure) =>
    figureMarkup(figure, figure.chart === null ? null : chart++),
  );
  const body =
    figures.length === 0 ? `<p class="empty">${escaped(section.empty)}</p>` : figures.join('\n');
  return `<section id="${escaped(section.id)}">
<h2>${escaped(section.title)}</h2>
<p>${escaped(section.lead)}</p>
${body}
</section>`;
}

function figureMarkup({ title, table }: Figure, chart: number | null): string {
  const caption = `<h3>${escaped(title)}</h3>`;
  if (chart === null) return `<figure>${caption}\n${tableMarkup(table, title)}</figure>`;
  return `<figure>${caption}
<div class="plot"><canvas data-chart="${chart}" role="img" aria-label="${escaped(`Plot of ${title}; its data are in the table below.`)}"></canvas></div>
<details><summary>Data of this plot</summary>
${tableMarkup(table, title)}</details></figure>`;
}

/** A table that scrolls by itself where it is wider than a phone. */
export function tableMarkup({ columns, rows }: DataTable, caption: string): string {
  const kind = (place: number): string => (columns[place]?.numeric === true ? ' class="n"' : '');
  const head = columns
    .map(({ title }, place) => `<th scope="col"${kind(place)}>${escaped(title)}</th>`)
    .join('');
  const body = rows
    .map(
      (row) =>
        `<tr${rowClass(row)}>${row.map((cell, place) => cellMarkup(cell, place, kind)).join('')}</tr>`,
    )
    .join('\n');
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escaped(caption)}">
<table><caption>${escaped(caption)}</caption><thead><tr>${head}</tr></thead>
<tbody>
${body}
</tbody></table></div>`;
}

function cellMarkup(cell: string, place: number, kind: (place: number) => string): string {
  const shown = escaped(cell === '' ? NOTHING : cell);
  return place === 0 ? `<th scope="row">${shown}</th>` : `<td${kind(place)}>${shown}</td>`;
}

function rowClass(row: readonly string[]): string {
  return row.some((cell) => /\b(WRONG|MISSED)\b/.test(cell)) ? ' class="wrong"' : '';
}
