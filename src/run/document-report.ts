import { LIMITS } from '../limits.ts';
import { sumKnown } from '../target/known-counts.ts';
import type { FileReport, LoadReport, UnlistedFiles } from './report-types.ts';

const STATUSES = ['failed', 'not-loaded', 'skipped', 'loaded'] as const;

/**
 * The report of a load without most of its documents: 100,000 of them would take 47 MB of JSON that say
 * one thing over and over. What went wrong is listed first, then the others from the first on; those
 * that are left out are counted.
 */
export function withFewDocuments(load: LoadReport): LoadReport {
  const { files } = load;
  const most = LIMITS.reportDocumentsMax;
  if (files.length <= most || files[0]?.format !== 'document') return load;
  const wrong = files.filter(isWrong).slice(0, most);
  const fine = files.filter((file) => !isWrong(file)).slice(0, most - wrong.length);
  const listed = new Set([...wrong, ...fine]);
  const rest = files.filter((file) => !listed.has(file));
  const unlisted = STATUSES.map((status) => rest.filter((file) => file.status === status))
    .filter((group) => group.length > 0)
    .map(counted);
  return { ...load, files: files.filter((file) => listed.has(file)), unlisted };
}

function isWrong({ status, rejected }: FileReport): boolean {
  return status === 'failed' || (rejected ?? 0) > 0;
}

function counted(files: readonly FileReport[]): UnlistedFiles {
  return {
    status: files[0]?.status ?? 'loaded',
    files: files.length,
    bytes: files.reduce((total, file) => total + file.bytes, 0),
    ...sumKnown(files),
  };
}
