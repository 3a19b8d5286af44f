import type { FilePlan } from '../plan/plan-types.ts';
import { openCsvBytes } from '../source/csv/csv-bytes.ts';
import { openCsvPart } from '../source/csv/csv-part.ts';
import { createKeyScan, hasScannableKeys } from '../source/csv/scan-keys.ts';
import { fileFailure } from './file-failure.ts';
import { changedOr, refuseChanged } from '../source/refuse-changed.ts';
import type { FileFailure } from './unit-session.ts';
import type { UnitHooks, UnitPart, UnitTask } from './unit-task.ts';

/** What a file's keys are, before anything of it is sent. */
export interface ScannedFile {
  readonly file: number;
  readonly records: number;
  /** Null of a part. */
  readonly contentHash: string | null;
  /** Four 32-bit lanes per record; null where the file's keys cannot be told from its bytes. */
  readonly lanes: Uint32Array | null;
}

export interface ScannedUnit {
  readonly files: readonly ScannedFile[];
  readonly failure: FileFailure | null;
}

export interface KeyScanWork {
  scan(): Promise<ScannedUnit>;
}

/** Reads the files of a unit for their keys alone. Needs no connection. */
export function createKeyScanWork(
  task: UnitTask,
  seed: Uint32Array,
  hooks: UnitHooks,
): KeyScanWork {
  return {
    scan: async () => {
      const files: ScannedFile[] = [];
      for (const file of task.files) {
        try {
          files.push(await scanFile(file, task.part, task.load.target.key, seed, hooks));
        } catch (error) {
          const told = await changedOr(error, file);
          return { files, failure: fileFailure(file.ordinal, told, hooks.signal) };
        }
      }
      return { files, failure: null };
    },
  };
}

async function scanFile(
  file: FilePlan,
  part: UnitPart | undefined,
  key: readonly string[],
  seed: Uint32Array,
  hooks: UnitHooks,
): Promise<ScannedFile> {
  const { description } = file;
  if (!hasScannableKeys(description))
    return { file: file.ordinal, records: 0, contentHash: '', lanes: null };
  await refuseChanged(file);
  const fields = key.map((name) => file.targets.indexOf(name));
  const scan = createKeyScan(description.dialect, fields, seed);
  const { signal } = hooks;
  const stream =
    part?.kind === 'bytes'
      ? openCsvPart(file, description, part, { signal })
      : openCsvBytes(file, description, { signal });
  for await (const chunk of stream.chunks) scan.push(chunk);
  const { records, contentHash } = stream.totals();
  const lanes = scan.end();
  // A file whose lines end in CR alone is one long line to the scan: its keys stay unknown.
  const known = lanes.length / 4 === records;
  return { file: file.ordinal, records, contentHash, lanes: known ? lanes : null };
}
