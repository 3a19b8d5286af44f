import { describe, expect, it } from 'vitest';
import { EtlError, errorRecordOf } from '../../../src/errors.ts';
import { loadedMeanwhile, mergedFromLedger } from '../../../src/load/merge-unit.ts';
import type { LoadedFile } from '../../../src/target/ledger.ts';
import { filePlan } from '../plan/fixtures.ts';

const FILES = [0, 1, 2].map((ordinal) => filePlan(ordinal));

function entryOf(ordinal: number, more: Partial<LoadedFile>): LoadedFile {
  return {
    ...{ path: FILES[ordinal]?.path ?? '', ordinal, bytes: 9, mtimeMs: 1, contentHash: 'c' },
    ...{ rowsRead: 5, rejected: 0, counts: null },
    ...{ fingerprint: 'f', runId: 'r', loadedAt: '2026-03-01T00:00:00.000Z' },
    ...more,
  };
}

describe('what the ledger remembers of a merge', () => {
  it('is the counts of files that have their own', () => {
    const counts = { inserted: 2, updated: 1, unchanged: 0, superseded: 1, rejected: 1 };
    const entries = [entryOf(0, { counts, rejected: 1 }), entryOf(2, { counts, rejected: 1 })];
    const merged = mergedFromLedger(entries, FILES);
    expect(merged.files.map(({ file }) => file)).toEqual([0, 2]);
    expect(merged.files[0]?.counts).toEqual({ ...counts, rowsRead: 5 });
    expect(merged.counts).toMatchObject({ rowsRead: 10, inserted: 4, superseded: 2, rejected: 2 });
  });

  it('is what was read and rejected of files that were merged as a group', () => {
    const entries = [entryOf(0, { rejected: 2 }), entryOf(1, { rejected: 1 })];
    const merged = mergedFromLedger(entries, FILES);
    expect(merged.files).toMatchObject([
      { file: 0, counts: null, rejected: 2 },
      { file: 1, counts: null, rejected: 1 },
    ]);
    expect(merged.counts).toMatchObject({ rowsRead: 10, inserted: 0, rejected: 3 });
  });
});

describe('an entry that is there already', () => {
  const refused = (constraint: string): EtlError =>
    new EtlError('ETL_SERVER', 'Twice.', 'None.', { constraint, sqlState: '23505' });

  it('is a commit in doubt that went through', () => {
    const { facts } = errorRecordOf(loadedMeanwhile(refused('ledger_once')));
    expect(facts).toMatchObject({ constraint: 'ledger_once', sqlState: '40003' });
  });

  it('is told from a row that the table refuses', () => {
    const error = refused('orders_pkey');
    expect(loadedMeanwhile(error)).toBe(error);
  });
});
