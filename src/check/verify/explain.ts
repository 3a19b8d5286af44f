import type { TargetTable } from '../../target/table.ts';
import type { ReadFile } from './build-reference.ts';
import { countRecords } from '../../target/record-ranges.ts';
import type { RejectRecord } from '../../target/reject-record.ts';
import type { Comparison, VerifiedLoad } from './comparisons.ts';
import type { LedgerFiles } from './ledger-files.ts';

interface Facts {
  readonly comparison: Comparison;
  readonly table: TargetTable;
  readonly read: readonly ReadFile[];
  readonly ledger: ReadonlyMap<VerifiedLoad, LedgerFiles>;
}

/** What the ledger and the catalog know that may explain a difference; a sentence each. */
export function explain({ comparison, table, read, ledger }: Facts): string[] {
  const hashOf = ({ load, path }: ReadFile): string | undefined =>
    ledger.get(load)?.hashes.get(path);
  const unknown = read.filter((file) => hashOf(file) === undefined);
  const changed = read.filter((file) => (hashOf(file) ?? file.contentHash) !== file.contentHash);
  const unmatched = read.filter((file) => file.unmatched > 0);
  const writers = [...table.rowTriggers, ...table.rules];
  return [
    ...(unknown.length === 0
      ? []
      : [`${filesText(unknown)} not loaded into this table, says the ledger.`]),
    ...(changed.length === 0 ? [] : [`${filesText(changed)} other content than when loaded.`]),
    ...rejectedSentences(read, ledger),
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
function rejectedSentences(read: readonly ReadFile[], ledger: Facts['ledger']): string[] {
  const rejectOf = ({ load, path }: ReadFile): RejectRecord | undefined =>
    ledger.get(load)?.rejects.get(path);
  const known = read.filter((file) => rejectOf(file) !== undefined);
  const count = (of: 'records' | 'corrected'): number =>
    known.reduce((sum, file) => sum + countRecords(rejectOf(file)?.[of] ?? []), 0);
  const corrected = count('corrected');
  const since = corrected === 0 ? '' : `; ${corrected} of them were corrected since, and are not`;
  const untold = read.filter(({ load, path }) => ledger.get(load)?.untold.has(path));
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
