import { describeError } from '../errors.ts';
import type { ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { LoadReport, Report } from '../run/report-types.ts';
import { moreLines, paragraph } from './page.ts';
import type { Page } from './page.ts';
import { safeText } from './safe-text.ts';

/** Every error of the run once: what is wrong, then what to do. Empty where nothing failed. */
export function errorLines(report: Report, page: Page): readonly string[] {
  const records = distinct([
    ...report.loads.flatMap(fileErrors),
    ...(report.error === null ? [] : [report.error]),
  ]);
  if (records.length === 0) return [];
  const shownMax = LIMITS.errorsShownMax;
  return [
    page.ink.bold('Errors'),
    ...records.slice(0, shownMax).flatMap((record) => errorParagraphs(record, page)),
    ...moreLines(records.length, shownMax, page),
  ];
}

/** One error on one line, for a log of plain lines. */
export function errorLine(record: ErrorRecord): string {
  return safeText(describeError(record).replaceAll('\n', ' '));
}

function fileErrors(load: LoadReport): readonly ErrorRecord[] {
  return load.files.flatMap(({ error, path }) => {
    if (error === null) return [];
    return [{ ...error, facts: { ...error.facts, file: error.facts.file ?? path } }];
  });
}

/** The run's own error is most often the error of its first failed file. */
function distinct(records: readonly ErrorRecord[]): readonly ErrorRecord[] {
  const seen = new Set<string>();
  return records.filter(({ code, sentence, facts }) => {
    const place = JSON.stringify([code, sentence, facts.line, facts.column]);
    const file = JSON.stringify([place, facts.file]);
    if (seen.has(file) || (facts.file === undefined && seen.has(place))) return false;
    seen.add(place).add(file);
    return true;
  });
}

function errorParagraphs(record: ErrorRecord, page: Page): readonly string[] {
  const { remedy, facts } = record;
  const what = describeError({ ...record, remedy: '', facts: { ...facts, problems: [] } });
  return [
    page.ink.red(paragraph(safeText(what), 2, page)),
    ...(facts.problems ?? []).map((problem) => paragraph(`- ${safeText(problem)}`, 4, page)),
    ...(remedy === '' ? [] : [paragraph(safeText(remedy), 4, page)]),
  ];
}
