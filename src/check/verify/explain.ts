import type { Connection } from '../../target/connect.ts';
import { loadedFiles } from '../../target/ledger.ts';
import type { TargetTable } from '../../target/table.ts';
import type { ReadFile } from './build-reference.ts';
import { countRecords } from '../../target/record-ranges.ts';
import type { Comparison } from './comparisons.ts';
import type { RejectedFiles } from './rejected-files.ts';

interface Facts {
  readonly comparison: Comparison;
  readonly table: TargetTable;
  readonly read: readonly ReadFile[];
  readonly rejects: RejectedFiles;
  readonly ledgerSchema: string;
}

/** What the ledger and the catalog know that may explain a difference; a sentence each. */
export async function explain(
  connection: Connection,
  { comparison, table, read, rejects, ledgerSchema }: Facts,
): Promise<string[]> {
  const entries = await loadedFiles(
    connection,
    ledgerSchema,
    comparison.loads[0]?.ledgerOid ?? table.oid,
    read.map((file) => file.path),
  );
  const hashes = new Map(entries.map((entry) => [entry.path, entry.contentHash]));
  const unknown = read.filter((file) => !hashes.has(file.path));
  const changed = read.filter(
    (file) => hashes.has(file.path) && hashes.get(file.path) !== file.contentHash,
  );
  const unmatched = read.filter((file) => file.unmatched > 0);
  const writers = [...table.rowTriggers, ...table.rules];
  return [
    ...(unknown.length === 0
      ? []
      : [`${filesText(unknown)} not loaded into this table, says the ledger.`]),
    ...(changed.length === 0 ? [] : [`${filesText(changed)} other content than when loaded.`]),
    ...rejectedSentences(read, rejects),
    ...(unmatched.length === 0
      ? []
      : [
          `${filesText(unmatched)} ${unmatched.reduce((sum, file) => sum + file.unmatched, 0)} rows are left out, since what they name is not in the table that it is looked up in.`,
        ]),
    ...(writers.length === 0
      ? []
      : [
          `${writers.join(', ')} may write other values than the files have: row triggers and rules are no part of the reference.`,
        ]),
    ...comparison.loads.flatMap(({ targets = [] }) =>
      targets.flatMap(({ table: further, where }) =>
        where === null
          ? []
          : [`${further.sqlName} takes only the rows where ${where}; it is not compared.`],
      ),
    ),
    ...(comparison.shared
      ? ['Other loads of the job write this table by another key; what they wrote may differ here.']
      : []),
  ];
}

/** Rows that were rejected are no part of the reference, but where they were corrected since. */
function rejectedSentences(
  read: readonly ReadFile[],
  { records, unknown }: RejectedFiles,
): string[] {
  const known = read.filter(({ path }) => records.has(path));
  const count = (of: 'records' | 'corrected'): number =>
    known.reduce((sum, { path }) => sum + countRecords(records.get(path)?.[of] ?? []), 0);
  const corrected = count('corrected');
  const since = corrected === 0 ? '' : `; ${corrected} of them were corrected since, and are not`;
  const untold = read.filter(({ path }) => unknown.includes(path));
  return [
    ...(known.length === 0
      ? []
      : [
          `${filesText(known)} ${count('records')} rows were rejected when loaded, and are left out${since}.`,
        ]),
    ...(untold.length === 0
      ? []
      : [`${filesText(untold)} rows were rejected when loaded; which, the ledger does not tell.`]),
  ];
}

/** `a.csv is` and `a.csv and 3 more are`, cut before the verb's object. */
function filesText(files: readonly ReadFile[]): string {
  const name = files[0]?.name ?? '';
  return files.length === 1 ? `${name}:` : `${name} and ${files.length - 1} more:`;
}
