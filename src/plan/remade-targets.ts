import { countText } from './figures.ts';
import type { LedgerEntry, PlanContext } from './plan-context.ts';
import type { FurtherTarget } from './plan-targets.ts';

/**
 * The ledger knows files by the load's own table. Of a further table that was dropped and made again it
 * would go on to say that their rows are in it; but each run has noted which tables it held, so that it can
 * be told. Whether to load them again is for people to say: the load's own table would take them, too.
 *
 * @param loaded what is not loaded, as it was loaded before
 */
export async function remadeNotices(
  further: readonly FurtherTarget[],
  loaded: ReadonlyMap<string, LedgerEntry>,
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<string[]> {
  const entries = [...loaded.values()].filter(({ rowsRead }) => rowsRead > 0);
  // An empty one, or one that is to be created, has a notice of its own.
  const tables = further.flatMap(({ target: { existing } }) =>
    existing === null || existing.empty ? [] : [existing],
  );
  if (tables.length === 0 || entries.length === 0) return [];
  const held = await catalog.tablesOfRuns([...new Set(entries.map(({ runId }) => runId))]);
  return tables.flatMap(({ oid, sqlName }) => {
    const gone = entries.filter(({ runId }) => held.get(runId)?.includes(oid) === false);
    if (gone.length === 0) return [];
    const rows = gone.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
    return [
      `${sqlName} is not the table that ${countText(rows)} rows of ${countText(gone.length)} files were loaded for: it was dropped and made anew, or restored, since. These are not loaded again; --force loads them again, into all tables.`,
    ];
  });
}
