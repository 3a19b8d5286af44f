import type { ErrorRecord } from '../errors.ts';
import type { StagedGood } from '../load/quarantine/quarantine-work.ts';
import type { FileFailure } from '../load/unit-session.ts';
import { callWorker } from './call-worker.ts';
import type { RangeOptions } from './range-options.ts';
import type { StagedLoad } from './range-staging.ts';

/** Null: no row is found to be at fault by itself. */
export async function rejectRefusedRows(
  options: RangeOptions,
  staged: StagedLoad,
  refusal: ErrorRecord,
  round: number,
): Promise<StagedLoad | null> {
  const good = await call<StagedGood | null>(options, staged, refusal, round, 'reject');
  return good === null ? null : { ...staged, ...good };
}

/** The reject files as far as rows are rejected; the first file that has too many of them. */
export async function writeRejectFiles(
  options: RangeOptions,
  staged: StagedLoad,
): Promise<FileFailure | null> {
  if (staged.files.every((file) => file.rejected === 0)) return null;
  return call<FileFailure | null>(options, staged, null, 0, 'write');
}

function call<T>(
  { pool, task, rejectPaths }: RangeOptions,
  { tables, files, filled }: StagedLoad,
  refusal: ErrorRecord | null,
  round: number,
  method: 'reject' | 'write',
): Promise<T> {
  const order = { load: task, tables, files, filled, refusal, round, rejectPaths };
  return callWorker<T>(pool, { kind: 'quarantine', task: order }, method);
}
