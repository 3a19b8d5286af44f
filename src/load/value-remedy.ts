import { remedy, setting, type Remedy } from '../remedy.ts';

/**
 * What can be done about a value that the server refuses, where its spelling tells more than the server
 * does; null: it does not. Only remedies that need nothing but this tool, the file or the role.
 * `csvNull`: what the dialect takes for NULL; null where the file is no CSV.
 */
export function remedyOfValue(value: string, csvNull: string | null): string | Remedy | null {
  if (csvNull !== null && NO_VALUE.test(value)) {
    return csvNull === ''
      ? remedy`Where it stands for no value: ${setting('csv.null', value)}; else correct it in the file.`
      : `One text stands for NULL, here ${csvNull}: correct the file, or let a transform of the job turn the others (docs/transform.md).`;
  }
  if (DAY_AND_MONTH.test(value)) return DAY_FIRST;
  if (FOREIGN_NUMBER.test(value) && !PLAIN_NUMBER.test(value)) return DECIMAL_POINT;
  return null;
}

/** How databases, spreadsheets and languages write NULL. */
const NO_VALUE = /^(?:null|nil|none|n\/?a|#n\/a|nan|-+|\\n)$/i;

const DAY_AND_MONTH = /^\d{1,2}([./-])\d{1,2}\1\d{2,4}(?!\d)/;

const DAY_FIRST =
  `Where the day comes before the month, say so once for the role that loads: ` +
  `alter role current_user set datestyle = 'ISO, DMY'; else correct the value in the file.`;

const CURRENCY = '[$€£¥]';
const FOREIGN_NUMBER = new RegExp(
  `^[-+(]?${CURRENCY}?\\s?[-+]?(?:\\d{1,3}(?:[.,'\\u00a0\\u202f ]\\d{3})+|\\d+)(?:[.,]\\d+)?\\s?(?:${CURRENCY}|%)?\\)?$`,
);
const PLAIN_NUMBER = /^[-+]?\d+(?:\.\d*)?$/;

const DECIMAL_POINT =
  'PostgreSQL reads numbers as 1234.56: correct the file, or let a transform of the job turn them (docs/transform.md).';
