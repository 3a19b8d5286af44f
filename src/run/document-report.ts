import { LIMITS } from '../limits.ts';
import { sumKnown } from '../target/known-counts.ts';
import type { FileReport, LoadReport, UnlistedFiles } from './report-types.ts';

/** Reports of the files of a load, as a LoadReport has them. */
export type ListedFiles = Pick<LoadReport, 'files' | 'unlisted'>;

export interface FileList {
  /** In order of precedence. */
  add(report: FileReport): void;
  end(): ListedFiles;
}

const STATUSES = ['failed', 'not-loaded', 'skipped', 'loaded'] as const;

/**
 * Lists files; of very many documents few: 100,000 of them would take 47 MB of JSON that say one thing
 * over and over. What went wrong is listed first, then the others from the first on; those that are left
 * out are counted, and not held meanwhile.
 */
export function createFileList(): FileList {
  const most = LIMITS.reportDocumentsMax;
  const listed: FileReport[] = [];
  const wrong: FileReport[] = [];
  const left = createLeftOut();
  let documents = true;
  return {
    add: (report) => {
      documents &&= report.format === 'document';
      if (!documents || listed.length < most) listed.push(report);
      else if (isWrong(report) && wrong.length < most) wrong.push(report);
      else left.add(report);
    },
    end: () => {
      if (!documents || (wrong.length === 0 && left.isEmpty())) return { files: listed };
      const fine = listed.filter((file) => !isWrong(file));
      // Those that went wrong later take the places of the last of the others.
      const late = wrong.slice(0, fine.length);
      const given = new Set(fine.slice(fine.length - late.length));
      for (const file of [...given, ...wrong.slice(late.length)]) left.add(file);
      const files = [...listed.filter((file) => !given.has(file)), ...late];
      return { files, unlisted: left.end() };
    },
  };
}

/** The report of a load without most of its documents. */
export function withFewDocuments(load: LoadReport): LoadReport {
  const { files } = load;
  if (files.length <= LIMITS.reportDocumentsMax || files[0]?.format !== 'document') return load;
  const list = createFileList();
  for (const file of files) list.add(file);
  return { ...load, ...list.end() };
}

function isWrong({ status, rejected }: FileReport): boolean {
  return status === 'failed' || (rejected ?? 0) > 0;
}

/** Files that are summed up so many at a time. */
const SUMMED_AT_ONCE = 1_000;

function createLeftOut() {
  const sums = new Map<FileReport['status'], UnlistedFiles>();
  let some: FileReport[] = [];
  const sumUp = (): void => {
    for (const status of STATUSES) {
      const own = some.filter((file) => file.status === status);
      if (own.length === 0) continue;
      const before = sums.get(status);
      const counted = countedFiles(status, own);
      sums.set(status, before === undefined ? counted : together(before, counted));
    }
    some = [];
  };
  return {
    add: (report: FileReport): void => {
      some.push(report);
      if (some.length === SUMMED_AT_ONCE) sumUp();
    },
    isEmpty: () => some.length === 0 && sums.size === 0,
    end: (): UnlistedFiles[] => {
      sumUp();
      return STATUSES.flatMap((status) => sums.get(status) ?? []);
    },
  };
}

function countedFiles(status: FileReport['status'], files: readonly FileReport[]): UnlistedFiles {
  const bytes = files.reduce((total, file) => total + file.bytes, 0);
  return { status, files: files.length, bytes, ...sumKnown(files) };
}

function together(a: UnlistedFiles, b: UnlistedFiles): UnlistedFiles {
  return {
    status: a.status,
    files: a.files + b.files,
    bytes: a.bytes + b.bytes,
    ...sumKnown([a, b]),
  };
}
