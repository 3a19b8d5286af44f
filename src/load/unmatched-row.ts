import { EtlError, type ErrorFacts } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { locateRecord } from '../source/csv/locate-record.ts';
import { lineOfRecord } from '../source/json/line-of-record.ts';
import { inputOf } from '../source/transform/input-of.ts';
import type { Connection } from '../target/connect.ts';
import type { StagedLookup } from '../target/lookup-sql.ts';
import type { UnmatchedRow } from '../target/lookups.ts';
import { stagedRanges, type StagingTable } from '../target/staging.ts';
import type { UnitTask } from './unit-task.ts';

/** A row whose value has nothing beside it, as a bad row of its file. */
export function unmatchedError(
  { lookup, into }: StagedLookup,
  { value, refusal }: UnmatchedRow,
  file: FilePlan | undefined,
  place: Pick<ErrorFacts, 'line' | 'record'> = {},
): EtlError {
  const { sqlName: table, match, insertMissing } = lookup;
  const named = file?.description.columns[file.targets.indexOf(into.name)];
  const column = typeof named === 'object' ? named.name : named;
  const facts = {
    ...(file === undefined ? {} : { file: file.name }),
    ...place,
    ...(column === undefined ? {} : { column }),
    value,
    table,
    ...(refusal === null ? {} : { sqlState: refusal.sqlState }),
  };
  if (!insertMissing) {
    return new EtlError(
      'ETL_ROW_INVALID',
      `No row of ${table} has the ${match.name} "${value}"${folded(lookup)}.`,
      `Correct the value, add the row, or let the lookup create it (insertMissing).`,
      facts,
    );
  }
  const why = refusal?.message ?? 'a trigger, a rule or a policy of the table keeps it out';
  return new EtlError(
    'ETL_ROW_INVALID',
    `${table} takes no row with the ${match.name} "${value}"${folded(lookup)}: ${why}.`,
    `Correct the value, or add the row to ${table} by other means.`,
    facts,
  );
}

function folded({ fold }: StagedLookup['lookup']): string {
  return fold === null ? '' : ` in ${fold} case`;
}

/** The same with the row's line in the file, which is read once more for it. */
export async function locatedUnmatched(
  connection: Connection,
  table: StagingTable,
  lookup: StagedLookup,
  { row, file, task }: { row: UnmatchedRow; file: FilePlan; task: UnitTask },
): Promise<EtlError> {
  const record = await recordOf(connection, table, row, task);
  return unmatchedError(lookup, row, file, await lineOf(file, record));
}

/** Rows of a part have their number in the file; others were numbered as they came. */
async function recordOf(
  connection: Connection,
  table: StagingTable,
  { row, file: stagedAs }: UnmatchedRow,
  { part }: UnitTask,
): Promise<number> {
  if (part !== undefined) return row;
  const ranges = await stagedRanges(connection, table);
  const first = ranges.find(({ file }) => file === stagedAs)?.first ?? 1;
  return row - first + 1;
}

async function lineOf(
  file: FilePlan,
  record: number,
): Promise<Pick<ErrorFacts, 'line' | 'record'>> {
  const description = inputOf(file.description);
  if (description.kind === 'csv') {
    const located = await locateRecord(file, description, record).catch(() => null);
    return { line: located?.line ?? record };
  }
  if (description.kind === 'json') {
    return { line: await lineOfRecord(file, description, record), record };
  }
  return description.kind === 'parquet' ? { line: record } : {};
}
