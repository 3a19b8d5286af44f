import { sumCounts } from '../../load/merge-unit.ts';
import type { CorrectedRow } from '../../load/quarantine/corrected-rows.ts';
import type { LoadPlan } from '../../plan/plan-types.ts';
import { loadReport, notLoaded } from '../load-report.ts';
import { reportTargets } from '../target-reports.ts';
import type { FileReport } from '../report-types.ts';
import type { RunContext } from '../run-context.ts';
import type { LoadEnd } from '../load-end.ts';
import type { MergedCorrections, RetriedFile } from './merge-corrections.ts';

/** What became of the rows of one reject file. */
export interface RetriedPart extends RetriedFile {
  /** Those that are still in it. */
  left: readonly CorrectedRow[];
  /** Counts of the file and of those that were merged with it; null of the others. */
  merged: (MergedCorrections & { readonly alone: boolean }) | null;
}

/** Rows read are those of the reject files, and rejected the ones that stay there. */
export function reportRetry(
  { onEvent }: RunContext,
  load: LoadPlan,
  index: number,
  parts: readonly RetriedPart[],
): LoadEnd {
  const empty = notLoaded(load);
  const files = [...empty.files];
  for (const part of parts) {
    const { ordinal } = part.file;
    const before = files[ordinal];
    if (before === undefined || part.rows.length === 0) continue;
    const report = fileReport(before, part);
    files[ordinal] = report;
    onEvent({ kind: 'file-finished', load: index, file: ordinal, report });
  }
  const sum = (count: (part: RetriedPart) => number): number =>
    parts.reduce((total, part) => total + count(part), 0);
  const rowsRead = sum(({ rows }) => rows.length);
  const rejected = sum(({ left }) => left.length);
  const inserted = sum(({ merged }) => merged?.inserted ?? 0);
  const updated = sum(({ merged }) => merged?.updated ?? 0);
  const unchanged = sum(({ merged }) => merged?.unchanged ?? 0);
  const superseded = rowsRead - rejected - inserted - updated - unchanged;
  const counts = { rowsRead, inserted, updated, unchanged, superseded, rejected };
  const report = loadReport(load, { files }, { ...sumCounts([]), ...counts });
  const merges = parts.flatMap(({ merged }) => (merged === null ? [] : [merged.targets]));
  return { report: { ...report, ...reportTargets(load, merges) }, error: null };
}

function fileReport(before: FileReport, { rows, left, merged, reject }: RetriedPart): FileReport {
  const rejected = left.length;
  const rejects = rejected === 0 ? null : reject.rejectsPath;
  const told = {
    ...before,
    status: 'loaded',
    attempts: 1,
    rowsRead: rows.length,
    rejected,
    rejects,
  } as const;
  if (merged?.alone !== true) return told;
  const { inserted, updated, unchanged } = merged;
  const superseded = rows.length - rejected - inserted - updated - unchanged;
  return { ...told, inserted, updated, unchanged, superseded };
}
