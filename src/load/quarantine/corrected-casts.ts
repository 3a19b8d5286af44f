import { castColumns, takeBadCasts } from '../../target/bad-cast.ts';
import type { Connection } from '../../target/connect.ts';
import type { StagingTable } from '../../target/staging.ts';
import type { CopyTarget } from '../copy-target.ts';
import type { RejectedRow } from './reject-spool.ts';

/**
 * Takes out the corrected rows of a file with a value that a merge could not cast: where several tables
 * take them by different types, COPY has seen a text only. `file`: their place.
 */
export async function rejectCorrectedCasts(
  connection: Connection,
  table: StagingTable,
  { layout, columnName }: Pick<CopyTarget, 'layout' | 'columnName'>,
  file: number,
  onBad: (row: RejectedRow) => void,
): Promise<void> {
  const casts = castColumns(table, layout.copyColumns);
  if (casts.length === 0) return;
  for (;;) {
    const bad = await takeBadCasts(connection, table, casts, file);
    if (bad.length === 0) return;
    for (const { row, column, error } of bad) {
      const { sentence, facts } = error.record;
      const sqlState = facts.sqlState ?? null;
      onBad({ file, record: row, column: columnName(column), sqlState, reason: sentence });
    }
  }
}
