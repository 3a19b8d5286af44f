import type { FilePlan } from '../../plan/plan-types.ts';
import { openTransform } from '../transform/open-transform.ts';
import { isFault, transformBatch } from '../transform/transform-batch.ts';
import type { CorrectedRow } from './corrected-rows.ts';
import type { RejectedRow } from './reject-spool.ts';

/**
 * What the transform of the file makes of corrected rows, as it would have made it of the file's own:
 * their fields are by column of what it gives then. Rows of files without one stay as they are. Those
 * that it rejects again are told.
 *
 * @throws EtlError ETL_TRANSFORM, and as importTransform
 */
export async function transformCorrected(
  { ordinal, description }: FilePlan,
  rows: readonly CorrectedRow[],
  options: {
    readonly subBatchSize: number;
    readonly signal: AbortSignal;
    readonly onBad: (row: RejectedRow) => void;
  },
): Promise<readonly CorrectedRow[]> {
  if (description.kind !== 'transformed') return rows;
  const { subBatchSize, signal, onBad } = options;
  const opened = await openTransform(description.transform, signal);
  const run = { ...opened, columns: description.columns, signal, stops: false };
  const good: CorrectedRow[] = [];
  for (let from = 0; from < rows.length; from += subBatchSize) {
    const batch = rows.slice(from, from + subBatchSize);
    const outcomes = await transformBatch(
      run,
      batch.map(({ fields }) => fields),
    );
    for (const [index, row] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      if (isFault(outcome)) {
        onBad({ file: ordinal, record: row.record, sqlState: null, ...outcome });
      } else {
        good.push({ ...row, fields: outcome });
      }
    }
  }
  return good;
}
