import { setImmediate } from 'node:timers/promises';
import { createFileList, type ListedFiles } from './document-report.ts';
import type { FileReport } from './report-types.ts';

/** Files that are told of before others have their turn, so that what they are told is not held. */
const FILES_AT_ONCE = 1_000;

/** Goes through the files of a load, of which there may be very many, and gives way now and then. */
export async function forEachFile<T>(
  files: Iterable<T>,
  tell: (file: T, place: number) => void,
): Promise<void> {
  let place = 0;
  for (const file of files) {
    tell(file, place);
    place += 1;
    if (place % FILES_AT_ONCE === 0) await setImmediate();
  }
}

/** Tells of each file, by its ordinal, and lists it. */
export async function tellFiles(
  reports: Iterable<FileReport>,
  tell: (file: number, report: FileReport) => void,
): Promise<ListedFiles> {
  const list = createFileList();
  await forEachFile(reports, (report, file) => {
    tell(file, report);
    list.add(report);
  });
  return list.end();
}
