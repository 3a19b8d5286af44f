import picocolors from 'picocolors';
import { formatCount } from './format.ts';
import { padEnd, wrapText } from './text-width.ts';

/** What text is written on: so many columns, with colours or without. */
export interface Page {
  readonly ink: Ink;
  readonly width: number;
}

/** Colours, or functions that leave the text as it is. */
export type Ink = ReturnType<typeof picocolors.createColors>;

/** Below this many columns lines are left to the terminal to break. */
const WIDTH_MIN = 40;

export function pageFor(options: { readonly color: boolean; readonly width: number }): Page {
  return {
    ink: picocolors.createColors(options.color),
    width: Math.max(WIDTH_MIN, options.width),
  };
}

/** Text at a margin, wrapped to the page. */
export function paragraph(text: string, margin: number, page: Page): string {
  const indent = ' '.repeat(margin);
  return wrapText(text, page.width - margin)
    .map((line) => indent + line)
    .join('\n');
}

/** `label   text` at a margin, the text wrapped beside its label. */
export function labelled(
  label: string,
  text: string,
  columns: { readonly margin: number; readonly labelWidth: number },
  page: Page,
  paint: (label: string) => string = page.ink.dim,
): string {
  const { margin, labelWidth } = columns;
  const hanging = margin + labelWidth;
  return wrapText(text, page.width - hanging)
    .map((line, index) =>
      index === 0
        ? ' '.repeat(margin) + paint(padEnd(label, labelWidth)) + line
        : ' '.repeat(hanging) + line,
    )
    .join('\n');
}

/** The line that says how many things a list left out, or none. */
export function moreLines(count: number, shownMax: number, page: Page): readonly string[] {
  const more = count - shownMax;
  return more <= 0 ? [] : [page.ink.dim(`    and ${formatCount(more)} more`)];
}

/** `a, b, c and 37 more`. */
export function listOf(names: readonly string[], shownMax: number): string {
  const more = names.length - shownMax;
  if (more <= 0) return names.join(', ');
  return `${names.slice(0, shownMax).join(', ')} and ${formatCount(more)} more`;
}
