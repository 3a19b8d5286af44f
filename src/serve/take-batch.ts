import { LIMITS } from '../limits.ts';
import type { Upload, UploadFile } from './upload.ts';

/** A file in a queue, with the upload that it is of. */
export interface QueuedFile {
  readonly upload: Upload;
  readonly file: UploadFile;
}

export interface BatchLimits {
  readonly filesMax: number;
  readonly bytesMax: number;
}

const BATCH_LIMITS: BatchLimits = {
  filesMax: LIMITS.serveBatchFilesMax,
  bytesMax: LIMITS.serveBatchBytesMax,
};

/**
 * How many files from the front of a queue one run loads: of one job and one layout, so that each of
 * them means what it means alone; at least one. They are neighbours, since the order of arrival is the
 * order of precedence, and another job may write to the same table.
 */
export function takeBatch(
  queue: readonly QueuedFile[],
  { filesMax, bytesMax }: BatchLimits = BATCH_LIMITS,
): number {
  const [first] = queue;
  if (first === undefined) return 0;
  let bytes = first.file.bytes;
  let count = 1;
  for (; count < Math.min(filesMax, queue.length); count++) {
    const next = queue[count];
    if (next === undefined || !together(first, next)) break;
    bytes += next.file.bytes;
    if (bytes > bytesMax) break;
  }
  return count;
}

/** One that asks to be alone is so even among the files of its own upload. */
function together(first: QueuedFile, next: QueuedFile): boolean {
  return (
    !first.upload.alone &&
    !next.upload.alone &&
    next.upload.job === first.upload.job &&
    next.file.layout === first.file.layout
  );
}
