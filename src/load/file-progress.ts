import { LIMITS } from '../limits.ts';
import type { UnitHooks } from './unit-task.ts';

/** Tells how much of a file is read: rows and bytes, no more often than people can follow. */
export function fileProgress(
  file: number,
  hooks: UnitHooks,
): (rows: number, bytes: number) => void {
  let last = hooks.now();
  return (rows, bytes) => {
    const now = hooks.now();
    if (now - last < LIMITS.progressIntervalMs) return;
    last = now;
    hooks.news({ kind: 'file-progress', file, rows, bytes });
  };
}
