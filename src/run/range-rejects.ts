import { assert } from '../assert.ts';
import type { ErrorRecord } from '../errors.ts';
import type { FileFailure } from '../load/unit-session.ts';
import type { StagedGood } from '../load/quarantine/quarantine-work.ts';
import type { RangeOptions } from './range-options.ts';
import type { StagedLoad } from './range-staging.ts';

/** Null: no row is found to be at fault by itself. */
export async function rejectRefusedRows(
  options: RangeOptions,
  staged: StagedLoad,
  refusal: ErrorRecord,
  round: number,
): Promise<StagedLoad | null> {
  const good = (await call(options, staged, refusal, round, 'reject')) as StagedGood | null;
  return good === null ? null : { ...staged, ...good };
}

/** The reject files as far as rows are rejected; the first file that has too many of them. */
export async function writeRejectFiles(
  options: RangeOptions,
  staged: StagedLoad,
): Promise<FileFailure | null> {
  if (staged.files.every((file) => file.rejected === 0)) return null;
  return (await call(options, staged, null, 0, 'write')) as FileFailure | null;
}

async function call(
  { pool, task, rejectPaths }: RangeOptions,
  { tables, files, filled }: StagedLoad,
  refusal: ErrorRecord | null,
  round: number,
  method: 'reject' | 'write',
): Promise<unknown> {
  const order = { load: task, tables, files, filled, refusal, round, rejectPaths };
  const session = pool.open({ kind: 'quarantine', task: order }, () => {
    assert(false, 'a quarantine stages no files');
  });
  try {
    return await session.call(method);
  } finally {
    await session.close();
  }
}
