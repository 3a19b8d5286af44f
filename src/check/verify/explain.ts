import type { Connection } from '../../target/connect.ts';
import { loadedFiles } from '../../target/ledger.ts';
import type { TargetTable } from '../../target/table.ts';
import type { ReadFile } from './build-reference.ts';
import type { Comparison } from './comparisons.ts';

interface Facts {
  readonly comparison: Comparison;
  readonly table: TargetTable;
  readonly read: readonly ReadFile[];
  readonly ledgerSchema: string;
}

/** What the ledger and the catalog know that may explain a difference; a sentence each. */
export async function explain(
  connection: Connection,
  { comparison, table, read, ledgerSchema }: Facts,
): Promise<string[]> {
  const entries = await loadedFiles(
    connection,
    ledgerSchema,
    table.oid,
    read.map((file) => file.path),
  );
  const hashes = new Map(entries.map((entry) => [entry.path, entry.contentHash]));
  const unknown = read.filter((file) => !hashes.has(file.path));
  const changed = read.filter(
    (file) => hashes.has(file.path) && hashes.get(file.path) !== file.contentHash,
  );
  const writers = [...table.rowTriggers, ...table.rules];
  return [
    ...(unknown.length === 0
      ? []
      : [`${filesText(unknown)} not loaded into this table, says the ledger.`]),
    ...(changed.length === 0 ? [] : [`${filesText(changed)} other content than when loaded.`]),
    ...(writers.length === 0
      ? []
      : [
          `${writers.join(', ')} may write other values than the files have: row triggers and rules are no part of the reference.`,
        ]),
    ...(comparison.shared
      ? ['Other loads of the job write this table by another key; what they wrote may differ here.']
      : []),
  ];
}

/** `a.csv is` and `a.csv and 3 more are`, cut before the verb's object. */
function filesText(files: readonly ReadFile[]): string {
  const name = files[0]?.name ?? '';
  return files.length === 1 ? `${name}:` : `${name} and ${files.length - 1} more:`;
}
