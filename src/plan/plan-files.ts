import type { Settings } from '../job/schema.ts';
import { inputOf } from '../source/transform/input-of.ts';
import type { DescribedFile } from './describe-files.ts';
import { countText } from './figures.ts';
import { NO_SPAN } from './key-span.ts';
import { foldingSamples, sampledType } from './lookup-columns.ts';
import { estimateOverlap, noneShared, type Overlap } from './overlap.ts';
import { notSampled } from './overlap-sentence.ts';
import type { LedgerEntry, PlanContext } from './plan-context.ts';
import { madeKey } from './plan-transform.ts';
import { documentsIn } from './plan-documents.ts';
import { oncePerLayout } from './per-layout.ts';
import type { FilePlan, OverlapEstimate } from './plan-types.ts';
import { sampleDocuments } from './sample-documents.ts';
import { sampleFiles, type FileToSample, type SampledFile } from './sample-files.ts';
import type { Target } from './target-table.ts';

export interface FilesIn {
  readonly described: readonly DescribedFile[];
  /** By ordinal: where each column goes. */
  readonly targets: readonly (readonly (string | null)[])[];
  /** By ordinal: where each column goes in each further table; absent: there is none. */
  readonly further?: readonly (readonly (readonly (string | null)[])[])[];
  /** The table whose keys are sampled, where it is not the load's own. */
  readonly sampled?: { readonly target: Target; readonly targets: FilesIn['targets'] };
  /** Rows of a file whose keys are sampled, at most; absent: what the limits say. */
  readonly rowsPerFileMax?: number;
  /** By path: what is loaded already. */
  readonly loaded: ReadonlyMap<string, LedgerEntry>;
  /** By path: the run that loaded it last. */
  readonly earlier: ReadonlyMap<string, string>;
  /** See Skipping. */
  readonly retimed?: ReadonlyMap<string, string>;
  /** By path: where the file lies, if that is elsewhere, and there is a table without a key. */
  readonly realPaths?: ReadonlyMap<string, string>;
}

export interface PlannedFiles {
  readonly files: readonly FilePlan[];
  readonly overlap: OverlapEstimate;
  readonly multiplicityInside: number;
  /** Ordinals of the files that seem to be sorted by their leading key column. */
  readonly ordered: ReadonlySet<number>;
  /** Of the sorted ones, those whose keys seem to rise all the way. */
  readonly rising: ReadonlySet<number>;
  /** Ordinals of the files whose rows seem not to come in the order of their keys. */
  readonly scattered: ReadonlySet<number>;
  readonly notices: readonly string[];
}

/** Samples the files that are to be loaded, and puts together what the plan says of each file. */
export async function planFiles(
  { described, targets, further, sampled, rowsPerFileMax, ...known }: FilesIn,
  own: Target,
  settings: Pick<Settings, 'conflictDetection'>,
  context: Pick<PlanContext, 'source' | 'catalog' | 'seed'>,
): Promise<PlannedFiles> {
  const { target, targets: mapped } = sampled ?? { target: own, targets };
  const made = madeKey(described, mapped, target.key);
  const keyed = settings.conflictDetection && target.key.length > 0 && made === null;
  const toLoad = described.filter(({ file }) => !known.loaded.has(file.path));
  const keyColumns = oncePerLayout(
    (
      file: Pick<DescribedFile, 'description' | 'columns'> & {
        targets: readonly (string | null)[];
      },
    ) => keyColumnsOf(file, file.targets, target.key),
  );
  const toSample = toLoad.map(({ ordinal, file, description, columns }) => {
    const taken = { description, columns, targets: mapped[ordinal] ?? [] };
    return {
      ordinal,
      file,
      description: inputOf(description),
      columns,
      keyColumns: keyed ? keyColumns(taken) : null,
    };
  });
  const keyOfTable = target.key.flatMap((name) =>
    target.planned.columns.filter((column) => column.name === name),
  );
  const types = keyOfTable.map(sampledType);
  const documents = documentsIn(toSample);
  const samples =
    documents === null
      ? await sampleFiles(toSample, types, foldingSamples(context, keyOfTable), rowsPerFileMax)
      : sampleDocuments(toSample, types, documents);
  const byOrdinal: (SampledFile | undefined)[] = [];
  for (const [index, { ordinal }] of toSample.entries()) byOrdinal[ordinal] = samples[index];
  const files = described.map((file) => {
    const taken = targets[file.ordinal] ?? [];
    const plan = filePlan(file, taken, byOrdinal[file.ordinal], known);
    return further === undefined ? plan : { ...plan, further: further[file.ordinal] ?? [] };
  });
  const { estimate, multiplicityInside } = overlapOf(toSample, samples, target, {
    ...settings,
    made,
  });
  const ordinalsOf = (is: 'ordered' | 'rising' | 'scattered'): ReadonlySet<number> =>
    new Set(toSample.filter((_, index) => samples[index]?.[is]).map(({ ordinal }) => ordinal));
  const orders = {
    ordered: ordinalsOf('ordered'),
    rising: ordinalsOf('rising'),
    scattered: ordinalsOf('scattered'),
  };
  const notices = nullKeys(toSample, samples);
  return { files, overlap: estimate, multiplicityInside, ...orders, notices };
}

function keyColumnsOf(
  file: Pick<DescribedFile, 'columns'>,
  targets: readonly (string | null)[],
  key: readonly string[],
): string[] {
  return key.flatMap((name) => file.columns.filter((_, index) => targets[index] === name));
}

function filePlan(
  { ordinal, file, description }: DescribedFile,
  targets: readonly (string | null)[],
  sample: SampledFile | undefined,
  {
    loaded,
    earlier,
    retimed,
    realPaths,
  }: Pick<FilesIn, 'loaded' | 'earlier' | 'retimed' | 'realPaths'>,
): FilePlan {
  const entry = loaded.get(file.path);
  const earlierRun = entry === undefined ? earlier.get(file.path) : undefined;
  const realPath = realPaths?.get(file.path);
  const span = sample?.span ?? NO_SPAN;
  const plan: Mutable<FilePlan> = {
    path: file.path,
    name: file.name,
    format: file.format,
    compression: file.compression,
    bytes: file.bytes,
    mtimeMs: file.mtimeMs,
    ordinal,
    description,
    targets,
    estimatedRows: Math.round(sample?.rows ?? entry?.rowsRead ?? 0),
    rowsExact: sample?.rowsExact ?? true,
    range: span.range,
    keyMin: span.min,
    keyMax: span.max,
    skip: entry === undefined ? null : skipOf(entry, retimed?.get(file.path)),
  };
  // Where one object is spread into another of so many properties, the result is slow for whoever reads it,
  // and large: of 100,000 files it took 4 s of CPU and 400 MB. So is one that takes the rest of another.
  if (file.ctimeMs !== undefined) plan.ctimeMs = file.ctimeMs;
  if (file.badBytes !== undefined) plan.badBytes = file.badBytes;
  if (file.recordedAs !== undefined) plan.recordedAs = file.recordedAs;
  if (file.expansionRatioMax !== undefined) plan.expansionRatioMax = file.expansionRatioMax;
  if (earlierRun !== undefined) plan.earlierRun = earlierRun;
  if (realPath !== undefined) plan.realPath = realPath;
  return plan;
}

function skipOf(entry: LedgerEntry, retimed: string | undefined): FilePlan['skip'] {
  const skip = { runId: entry.runId, loadedAt: entry.loadedAt, rows: entry.rowsRead };
  return retimed === undefined ? skip : { ...skip, retimed };
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

function overlapOf(
  files: readonly FileToSample[],
  samples: readonly SampledFile[],
  { key }: Target,
  { conflictDetection, made }: Pick<Settings, 'conflictDetection'> & { made: string | null },
): Overlap {
  const rows = samples.reduce((sum, sample) => sum + sample.rows, 0);
  const unsampled = (why: string) => ({
    estimate: notSampled(why, Math.round(rows)),
    multiplicityInside: 1,
  });
  if (files.length === 0) return unsampled('nothing to load');
  if (key.length === 0) return unsampled('append has no key, so no two rows conflict');
  if (!conflictDetection) return unsampled('keys were not sampled: conflictDetection is off');
  if (made !== null) return unsampled(`keys were not sampled: the transform gives ${made}`);
  const none = samples.every(isSingle) ? noneShared(Float64Array.from(samples, firstKey)) : null;
  return (
    none ??
    estimateOverlap(
      samples.map((sample, index) => ({
        file: files[index]?.ordinal ?? 0,
        name: files[index]?.file.name ?? '',
        keys: sample.keys,
        rows: keyedRows(sample),
        ordered: sample.ordered,
        range: sample.span.range,
        complete: sample.complete,
      })),
    )
  );
}

/** A document: nothing of it is unknown. */
function isSingle({ complete, keys }: SampledFile): boolean {
  return complete && keys.length === 1;
}

function firstKey({ keys }: SampledFile): number {
  return keys[0] ?? NaN;
}

/** Rows of the file that have a key, as far as the sample tells. */
function keyedRows({ rows, keys, complete, sampledRows }: SampledFile): number {
  if (complete) return keys.length;
  return sampledRows === 0 ? rows : Math.max(keys.length, (rows * keys.length) / sampledRows);
}

/** A key with a null is refused when its file is loaded; better to hear of it before. */
function nullKeys(files: readonly FileToSample[], samples: readonly SampledFile[]): string[] {
  return samples.flatMap(({ nullKeys: count, sampledRows }, index) =>
    count === 0
      ? []
      : [
          `${files[index]?.file.name ?? ''}: ${countText(count)} of ${countText(sampledRows)} sampled rows have a NULL in their key and will be refused.`,
        ],
  );
}
