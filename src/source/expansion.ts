import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import { LIMITS } from '../limits.ts';
import type { SourceFile } from './source-file.ts';

/**
 * Notices a bomb: a small file that decodes to far more than a file of rows ever would, and would
 * fill the disk of the server. Both counts are of what was decoded so far, so that it is noticed
 * at once and not at the end; nothing is said below `bytesMin`, where no harm is done yet.
 *
 * What honest text compresses to (gzip -9, zstd -19, 20 to 40 MB each, all rows with an id of their
 * own): ten constant columns 24 and 96 times smaller, 100 characters of constants 35 and 65, 500
 * columns of "0" 216 and 337, 1,600 columns of "0.0" 626 and 2,025. Without an id, rows that are all
 * alike: 343 and 11,500. Zeros: 1,027, which is nearly all that gzip can, and 31,700.
 *
 * @throws EtlError ETL_LIMIT
 */
export function refuseBomb(
  file: SourceFile,
  bytes: { readonly encoded: number; readonly decoded: number; readonly bytesMin: number },
): void {
  const ratioMax = file.expansionRatioMax ?? LIMITS.expansionRatioMax;
  const { encoded, decoded, bytesMin } = bytes;
  if (decoded < bytesMin || decoded <= encoded * ratioMax) return;
  throw new EtlError(
    'ETL_LIMIT',
    `It decompresses to more than ${ratioMax} times its size: ${encoded} bytes became ${decoded} so far.`,
    remedy`If you trust where it is from, raise ${setting('settings.expansionRatioMax')}.`,
    { file: file.name, limit: ratioMax },
  );
}
