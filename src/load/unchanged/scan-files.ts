import type { HashedFiles } from '../../conflict/file-order.ts';
import { RECORD_LANES } from '../../conflict/record-hash.ts';
import type { HashedKeys } from '../../conflict/unchanged-records.ts';
import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import { openCsvBytes } from '../../source/csv/csv-bytes.ts';
import type { KeyField } from '../../source/csv/hash-keys.ts';
import {
  createRecordHashes,
  isTooLong,
  type HashedRecords,
} from '../../source/csv/hash-records.ts';
import type { CsvDescription } from '../../source/source-file.ts';
import { refuseChanged } from '../../source/refuse-changed.ts';
import type { UnitTask } from '../unit-task.ts';

export interface ScannedFile {
  readonly file: FilePlan;
  readonly records: number;
  readonly contentHash: string;
  readonly range: { readonly min: number; readonly max: number } | null;
}

/** The records of a load's files, hashed. */
export interface Scanned {
  readonly files: readonly ScannedFile[];
  readonly records: HashedFiles;
  /** Null where they were not asked for, or these are not all files of the load. */
  readonly keys: HashedKeys | null;
}

/**
 * Reads the files once and hashes their records, and their keys where fields are given. Null where there are
 * too many records. @throws what aborts it
 */
export async function scanFiles(
  task: UnitTask,
  fields: readonly KeyField[],
  seed: Uint32Array,
  signal: AbortSignal,
): Promise<Scanned | null> {
  const files: ScannedFile[] = [];
  const estimated = task.files.reduce((sum, file) => sum + file.estimatedRows, 0);
  const gathered = gatherRecords(estimated, fields.length > 0);
  const end = (complete: boolean): Scanned => {
    const counts = files.map(({ records }) => records);
    const { lanes, keys } = gathered.end();
    return { files, records: { counts, lanes }, keys: complete ? keys : null };
  };
  for (const file of task.files) {
    const before = gathered.count();
    const scanned = await scanFile(file, fields, gathered, seed, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (!(error instanceof EtlError)) throw error;
      return null;
    });
    if (gathered.count() > LIMITS.comparedRecordsMax) return null;
    if (scanned === null) {
      gathered.cut(before);
      return end(false);
    }
    files.push(scanned);
  }
  return end(true);
}

/** Null where its records cannot be told apart here as they are when they are sent, or are too many. */
async function scanFile(
  file: FilePlan,
  keys: readonly KeyField[],
  gathered: GatheredRecords,
  seed: Uint32Array,
  signal: AbortSignal,
): Promise<ScannedFile | null> {
  const description = file.description as CsvDescription;
  const before = gathered.count();
  await refuseChanged(file);
  const hashes = createRecordHashes(description.dialect, keys, seed);
  const stream = openCsvBytes(file, description, { signal });
  for await (const chunk of stream.chunks) {
    gathered.add(hashes.push(chunk));
    if (isTooLong(hashes) || gathered.count() > LIMITS.comparedRecordsMax) return null;
  }
  const totals = stream.totals();
  const records = gathered.count() - before;
  if (totals.records !== records) return null;
  await refuseChanged(file);
  return { file, records, contentHash: totals.contentHash, range: hashes.range() };
}

interface GatheredRecords {
  add(hashed: HashedRecords): void;
  count(): number;
  /** Forgets all but the first of them. */
  cut(count: number): void;
  end(): { readonly lanes: Uint32Array; readonly keys: HashedKeys | null };
}

/** Arrays that grow with the records. */
function gatherRecords(estimated: number, keyed: boolean): GatheredRecords {
  let capacity = Math.max(1024, Math.ceil(estimated * 1.02));
  let lanes = new Uint32Array(capacity * RECORD_LANES);
  let keys = new Uint32Array(keyed ? capacity * 2 : 0);
  let plain = new Uint8Array(keyed ? capacity : 0);
  let count = 0;
  const grow = (needed: number): void => {
    capacity = Math.max(needed, Math.ceil(capacity * 1.5));
    const [someLanes, someKeys, somePlain] = [lanes, keys, plain];
    lanes = new Uint32Array(capacity * RECORD_LANES);
    keys = new Uint32Array(keyed ? capacity * 2 : 0);
    plain = new Uint8Array(keyed ? capacity : 0);
    lanes.set(someLanes);
    keys.set(someKeys);
    plain.set(somePlain);
  };
  return {
    add: (hashed) => {
      const needed = count + hashed.count;
      if (needed > capacity) grow(needed);
      lanes.set(hashed.lanes.subarray(0, hashed.count * RECORD_LANES), count * RECORD_LANES);
      if (keyed) {
        keys.set(hashed.keys.subarray(0, hashed.count * 2), count * 2);
        plain.set(hashed.plain.subarray(0, hashed.count), count);
      }
      count = needed;
    },
    count: () => count,
    cut: (to) => (count = to),
    end: () => ({
      lanes: lanes.subarray(0, count * RECORD_LANES),
      keys: keyed ? { keys: keys.subarray(0, count * 2), plain: plain.subarray(0, count) } : null,
    }),
  };
}
