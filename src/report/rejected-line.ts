import type { Report } from '../run/report-types.ts';
import { formatCounted } from './format.ts';
import { safeText } from './safe-text.ts';

/**
 * `3 rows rejected: rejects/a.csv.rejects.csv, and 2 more files`, for a log of plain lines; null where
 * none was. Exit code 3 alone would leave its reader without a word.
 */
export function rejectedLine({ loads }: Pick<Report, 'loads'>): string | null {
  const rejected = loads.flatMap(({ files }) => files.filter(({ rejects }) => rejects !== null));
  const [first] = rejected;
  if (first === undefined) return null;
  const rows = rejected.reduce((sum, file) => sum + (file.rejected ?? 0), 0);
  const others = rejected.length - 1;
  const more = others === 0 ? '' : `, and ${formatCounted(others, 'more file')}`;
  return safeText(`${formatCounted(rows, 'row')} rejected: ${first.rejects ?? ''}${more}`);
}
