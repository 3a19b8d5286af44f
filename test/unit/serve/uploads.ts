import type { Upload, UploadFile } from '../../../src/serve/upload.ts';

let made = 0;

/** An upload that is queued. */
export function anUpload(
  job: string,
  files: readonly Partial<UploadFile>[] = [{}],
  alone = false,
): Upload {
  made += 1;
  const id = `u${made}`;
  return {
    ...{ id, job, alone, acceptedAt: '2026-11-22T10:00:00.000Z' },
    files: files.map((file, index) => ({
      ...{ base: `${id}-${index + 1}.csv`, name: `f${index + 1}.csv`, bytes: 1, layout: 'x' },
      ...{ bare: false, known: null, rowsStaged: 0, verdict: null, ...file },
    })),
    ...{ startedAt: null, delayedBy: null, followers: new Set() },
  };
}
