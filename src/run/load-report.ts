import type { ErrorRecord } from '../errors.ts';
import { insertedOnly, sumCounts } from '../load/merge-unit.ts';
import type { FilePlan, LoadPlan } from '../plan/plan-types.ts';
import { ledgerPath } from '../source/ledger-path.ts';
import type { UnitOutcome } from './unit-outcome.ts';
import type { ListedFiles } from './document-report.ts';
import type { FreshOutcome } from './fresh-load.ts';
import { predictionOf } from './prediction.ts';
import type { RangeOutcome } from './range-pipeline.ts';
import type { Counts, FileReport, LoadReport } from './report-types.ts';
import { targetReports } from './target-reports.ts';

/** A load of which nothing was begun, be it that all of its files are loaded already. */
export function notLoaded(load: LoadPlan): LoadReport {
  const report = loadReport(load, { files: load.files.map(untouched) }, sumCounts([]));
  return { ...report, ...targetReports(load, []) };
}

export function loadReport(load: LoadPlan, listed: ListedFiles, totals: Counts): LoadReport {
  return {
    table: load.table.sqlName,
    key: load.key,
    strategy: load.strategy,
    reason: load.reason,
    concurrency: load.concurrency,
    ...listed,
    totals,
    prediction: predictionOf(load, { ...listed, totals, seconds: null }),
  };
}

/** Reports of a load's files by the outcomes of their units (the file pipeline). */
export function fileReports(load: LoadPlan, outcomes: readonly UnitOutcome[]): FileReport[] {
  const reports = new Map<number, FileReport>();
  for (const outcome of outcomes) {
    for (const report of unitReports(load, outcome)) reports.set(report[0], report[1]);
  }
  return load.files.map((file) => reports.get(file.ordinal) ?? untouched(file));
}

export function unitReports(load: LoadPlan, outcome: UnitOutcome): [number, FileReport][] {
  const merged = new Map(outcome.merged?.files.map((file) => [file.file, file]));
  return (load.units[outcome.unit]?.files ?? []).flatMap((ordinal) => {
    const file = load.files[ordinal];
    if (file === undefined) return [];
    const failed = outcome.failure?.file === ordinal ? outcome.failure.error : null;
    const { attempts } = outcome;
    const own = merged.get(ordinal);
    if (own === undefined) {
      const report =
        failed === null ? { attempts } : ({ attempts, status: 'failed', error: failed } as const);
      return [[ordinal, reportOf(file, report)]];
    }
    const report = reportOf(file, {
      counts: own.counts,
      rejected: own.counts?.rejected ?? own.rejected ?? null,
      attempts,
      status: 'loaded',
      stageMs: rounded(outcome.merged?.stageMs),
      waitMs: rounded(outcome.waitMs),
      mergeMs: rounded(outcome.merged?.mergeMs),
    });
    return [[ordinal, report]];
  });
}

/** Reports of the range pipeline, where only the rows read and rejected can be told per file. */
export function rangeReports(load: LoadPlan, outcome: RangeOutcome): FileReport[] {
  const { staged } = outcome;
  const files = new Map(staged.files.map((file) => [file.file.ordinal, file]));
  const units = unitsByFile(load);
  return load.files.map((file) => {
    const own = units.get(file.ordinal);
    if (own === undefined) return untouched(file);
    const attempts = Math.max(...own.map((unit) => staged.attempts.get(unit) ?? 0));
    const base = { ...untouched(file), attempts };
    if (outcome.status === 'merged') {
      return {
        ...base,
        rowsRead: files.get(file.ordinal)?.rows ?? null,
        rejected: files.get(file.ordinal)?.rejected ?? 0,
        status: 'loaded',
        stageMs: rounded(sumMs(own, staged.stageMs)),
        waitMs: 0,
        mergeMs: rounded(outcome.mergeMs),
      };
    }
    if (outcome.failure?.file !== file.ordinal) return base;
    return { ...base, status: 'failed', error: outcome.failure.error };
  });
}

/**
 * Reports of a table that was filled before it got its key: all rows were new. Each is made when it is come
 * to, since very many documents are told of, and few kept.
 */
export function* freshReports(load: LoadPlan, outcome: FreshOutcome): Generator<FileReport> {
  const stageMs = stageMsByFile(load, outcome);
  const copied = outcome.files[Symbol.iterator]();
  // Of documents all have the same.
  let counts = insertedOnly(0);
  for (const file of load.files) {
    const ms = stageMs[file.ordinal] ?? NaN;
    if (Number.isNaN(ms)) {
      yield untouched(file);
      continue;
    }
    const next = copied.next();
    const { rows, rejected } = next.done === true ? NOTHING : next.value;
    if (counts.rowsRead !== rows || counts.rejected !== rejected) {
      counts = insertedOnly(rows, rejected);
    }
    yield reportOf(file, {
      counts,
      attempts: 1,
      status: 'loaded',
      stageMs: rounded(ms),
      waitMs: 0,
      mergeMs: rounded(outcome.mergeMs),
    });
  }
}

const NOTHING = { rows: 0, rejected: 0 };

/** Of all units that a file is in; NaN where it is in none. */
function stageMsByFile({ files, units }: LoadPlan, { stageMs }: FreshOutcome): Float64Array {
  const byFile = new Float64Array(files.length).fill(NaN);
  for (const unit of units) {
    const ms = stageMs.get(unit.ordinal) ?? 0;
    for (const file of unit.files) {
      const before = byFile[file] ?? NaN;
      byFile[file] = Number.isNaN(before) ? ms : before + ms;
    }
  }
  return byFile;
}

/** The same reports, with the reject files of those that have rejected rows. */
export function* withRejects(
  files: Iterable<FileReport>,
  rejectPaths: ReadonlyMap<number, string>,
): Generator<FileReport> {
  let ordinal = 0;
  for (const file of files) yield withReject(file, rejectPaths.get(ordinal++));
}

export function withReject(file: FileReport, path: string | undefined): FileReport {
  return (file.rejected ?? 0) === 0 ? file : { ...file, rejects: path ?? null };
}

/** A file that is split is in several units. */
function unitsByFile({ units }: LoadPlan): Map<number, number[]> {
  const byFile = new Map<number, number[]>();
  for (const { ordinal, files } of units) {
    for (const file of files) byFile.set(file, [...(byFile.get(file) ?? []), ordinal]);
  }
  return byFile;
}

function sumMs(units: readonly number[], ms: ReadonlyMap<number, number>): number {
  return units.reduce((sum, unit) => sum + (ms.get(unit) ?? 0), 0);
}

function untouched(file: FilePlan): FileReport {
  return reportOf(file, {});
}

type Told = Partial<
  Pick<FileReport, 'status' | 'attempts' | 'stageMs' | 'waitMs' | 'mergeMs' | 'error' | 'rejected'>
> & { readonly counts?: Counts | null };

/**
 * What is not told is as of a file of which nothing was begun. Property by property, since one object that
 * is spread into another of so many properties is slow and large: with this, and with a ledger that is
 * written in parts (see write-ledger.ts), a load of 100,000 documents peaks at 340 MB instead of 440.
 */
function reportOf(file: FilePlan, told: Told): FileReport {
  const { counts = null } = told;
  return {
    path: ledgerPath(file),
    format: file.format,
    bytes: file.bytes,
    rowsRead: counts?.rowsRead ?? null,
    inserted: counts?.inserted ?? null,
    updated: counts?.updated ?? null,
    unchanged: counts?.unchanged ?? null,
    superseded: counts?.superseded ?? null,
    rejected: told.rejected ?? counts?.rejected ?? null,
    rejects: null,
    status: told.status ?? (file.skip === null ? 'not-loaded' : 'skipped'),
    attempts: told.attempts ?? 0,
    stageMs: told.stageMs ?? null,
    waitMs: told.waitMs ?? null,
    mergeMs: told.mergeMs ?? null,
    error: told.error ?? null,
  };
}

function rounded(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : Math.round(ms);
}

/** The error of the earliest file that failed. */
export function firstError(files: readonly FileReport[]): ErrorRecord | null {
  return files.find((file) => file.error !== null)?.error ?? null;
}
