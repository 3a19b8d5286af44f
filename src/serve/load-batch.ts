import { assert } from '../assert.ts';
import { errorRecordOf, type ErrorRecord } from '../errors.ts';
import { blameOf } from './blame.ts';
import type { FileVerdict, UploadFile } from './upload.ts';

/** One try to load files by one run, in their order. */
export interface RunEnd {
  /** Of the files that were loaded, or that failed by themselves. */
  readonly verdicts: ReadonlyMap<UploadFile, FileVerdict>;
  /** Why files are left over; null where none is, or where they only have to be tried in another run. */
  readonly error: ErrorRecord | null;
  /** Nothing was tried: so many files, from the first on, are to be loaded before the others. */
  readonly before?: number;
}

export interface BatchParts {
  /** Plans and runs. What it throws is an error of the whole try. */
  readonly tryRun: (files: readonly UploadFile[]) => Promise<RunEnd>;
  /** Hears each verdict as soon as it is known. */
  readonly onVerdict: (file: UploadFile, verdict: FileVerdict) => void;
  /** The file that an error names, or undefined. */
  readonly named: (error: ErrorRecord, files: readonly UploadFile[]) => UploadFile | undefined;
  /** What becomes of a file that is at fault. */
  readonly failed: (error: ErrorRecord, file: UploadFile) => FileVerdict;
  readonly signal: AbortSignal;
}

/**
 * Loads files in their order, and finds for each a verdict of its own: one that is bad must not take
 * the others with it. An error that names a file is that file's; one that names none is looked for in
 * halves, until a file that is alone has it. So a batch of n files with k bad ones costs about 1 + k
 * runs where the engine names them, and some k · log2(n) plans where it does not.
 *
 * Resolves to the error of the surroundings that stopped it, with files left over; null at the end.
 */
export async function loadBatch(
  files: readonly UploadFile[],
  parts: BatchParts,
): Promise<ErrorRecord | null> {
  const groups: (readonly UploadFile[])[] = [files];
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
    if (parts.signal.aborted) return null;
    const { verdicts, error, before } = await tried(group, parts);
    if (before !== undefined) {
      groups.unshift(group.slice(0, before), group.slice(before));
      continue;
    }
    for (const [file, verdict] of verdicts) parts.onVerdict(file, verdict);
    const rest = group.filter((file) => !verdicts.has(file));
    if (rest.length === 0) continue;
    if (error === null) {
      assert(verdicts.size > 0, 'a run without an error loads something');
      groups.unshift(rest);
      continue;
    }
    const blame = blameOf(error);
    if (blame === 'moment') return error;
    const guilty = parts.named(error, rest);
    if (blame === 'job' || rest.length === 1) {
      for (const file of rest) parts.onVerdict(file, parts.failed(error, file));
    } else if (guilty !== undefined) {
      parts.onVerdict(guilty, parts.failed(error, guilty));
      groups.unshift(rest.filter((file) => file !== guilty));
    } else {
      const half = Math.ceil(rest.length / 2);
      groups.unshift(rest.slice(0, half), rest.slice(half));
    }
  }
  return null;
}

async function tried(group: readonly UploadFile[], { tryRun }: BatchParts): Promise<RunEnd> {
  try {
    return await tryRun(group);
  } catch (error) {
    return { verdicts: new Map(), error: errorRecordOf(error) };
  }
}
