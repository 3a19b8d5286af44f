import type { SourceFile } from './source-file.ts';

/** What the ledger, and with it the report, calls a file: its path, unless its bytes only lie there. */
export function ledgerPath({ path, recordedAs }: Pick<SourceFile, 'path' | 'recordedAs'>): string {
  return recordedAs ?? path;
}
