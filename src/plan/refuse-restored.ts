import { EtlError } from '../errors.ts';
import { callOption, remedy } from '../remedy.ts';
import { ledgerPath } from '../source/ledger-path.ts';
import type { SourceFile } from '../source/source-file.ts';
import type { TargetTable } from '../target/table.ts';
import { countText } from './figures.ts';
import type { PlanContext } from './plan-context.ts';

/**
 * The ledger knows a table by its oid, so that one that was dropped and made again is a new one. But a
 * dump gives each table another oid, too, and the rows of its files are in it: to append them would
 * double them. Which of the two it was nobody can tell from here; an empty table is no such case, and
 * a table with a key takes the same rows once more.
 *
 * @param files of none of which the ledger has anything for the table as it is
 * @throws EtlError ETL_USAGE
 */
export async function refuseRestored(
  table: Pick<TargetTable, 'sqlName' | 'empty'>,
  files: readonly SourceFile[],
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<void> {
  if (table.empty) return;
  const gone = await catalog.goneEntries(table.sqlName, files.map(ledgerPath));
  if (gone === null) return;
  const { tableOid, files: count, rows } = gone;
  throw new EtlError(
    'ETL_USAGE',
    `${countText(rows)} rows of ${countText(count)} of the files were loaded into a table of the name ${table.sqlName} that had another oid (${tableOid}). If this one was restored from a dump, it has them already.`,
    remedy`If so, tell the ledger of its new oid: update the table_oid of its rows from ${tableOid} to '${table.sqlName}'::regclass. If not, ${callOption('force')} loads them.`,
    { table: table.sqlName },
  );
}
