import type { Check, DoctorReport } from '../check/doctor/doctor-types.ts';
import { labelled, pageFor, type Page } from './page.ts';
import { safeText } from './safe-text.ts';
import { displayWidth, padEnd } from './text-width.ts';

/** The checklist, and what to do about what is wrong. Ends in a line end. */
export function printDoctor(
  report: DoctorReport,
  options: { readonly color: boolean; readonly width: number },
): string {
  const page = pageFor(options);
  const names = report.checks.map((check) => displayWidth(safeText(check.name)));
  const nameWidth = Math.min(NAME_WIDTH_MAX, Math.max(...names));
  const count = (state: Check['state']): number =>
    report.checks.filter((check) => check.state === state).length;
  const verdict = report.ok ? page.ink.green('Healthy:') : page.ink.red('Not healthy:');
  const counts = `${count('pass')} pass, ${count('warn')} warn, ${count('fail')} fail`;
  return (
    `${report.checks.map((check) => checkLines(check, nameWidth, page)).join('\n')}\n\n` +
    `${verdict} ${counts}, exit code ${report.ok ? 0 : 1}\n`
  );
}

const NAME_WIDTH_MAX = 30;
const STATE_WIDTH = 6;

function checkLines(
  { name, state, sentence, remedy }: Check,
  nameWidth: number,
  page: Page,
): string {
  const { ink } = page;
  const paint = { pass: ink.green, warn: ink.yellow, fail: ink.red, skip: ink.dim }[state];
  const shown = `${padEnd(safeText(name), nameWidth)}  `;
  const columns = { margin: 0, labelWidth: STATE_WIDTH };
  const text = labelled(state, `${shown}${safeText(sentence)}`, columns, page, paint);
  if (remedy === '') return text;
  return `${text}\n${labelled('', safeText(remedy), { margin: 0, labelWidth: STATE_WIDTH + 2 }, page)}`;
}
