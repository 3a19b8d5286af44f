import { assert, present } from '../assert.ts';
import type { LoadTask, StagedFile, UnitPart } from '../load/unit-task.ts';
import type { FilePlan, LoadPlan, UnitPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { CsvPart, PartsFound } from '../source/csv/find-parts.ts';
import { inputOf } from '../source/transform/input-of.ts';

/**
 * What exactly the units of a load hold whose plan splits files. Row groups are where the plan says;
 * the places of a CSV file are found by a session that reads the file once, while workers already
 * load the parts that it has told of.
 */
export interface FileParts {
  /** Undefined: the unit holds whole files. Rejects with what reading the file throws. */
  partOf(unit: UnitPlan): Promise<UnitPart | undefined>;
  /** One entry per file: the parts of a file, all of which are staged, are added up. */
  join(staged: readonly StagedFile[]): Promise<StagedFile[]>;
  /** Ends the searches that still go on. */
  close(): Promise<void>;
}

export interface FilePartsOptions {
  readonly plan: Pick<LoadPlan, 'files' | 'units'>;
  readonly task: LoadTask;
  readonly pool: WorkerPool;
}

export function createFileParts(options: FilePartsOptions): FileParts {
  const searches = new Map<number, PartSearch>();
  const searchOf = (file: FilePlan): PartSearch => {
    const known = searches.get(file.ordinal);
    if (known !== undefined) return known;
    const begun = searchParts(options, file);
    searches.set(file.ordinal, begun);
    return begun;
  };
  return {
    partOf: async ({ files, part }) => {
      if (part === null) return undefined;
      const file = present(options.plan.files[files[0] ?? -1], 'the file of a part');
      const { index, from, to } = part;
      const { kind } = inputOf(file.description);
      if (kind === 'parquet') return { kind: 'row-groups', from, to };
      const search = searchOf(file);
      try {
        return { kind: 'bytes', ...(await present(search.parts[index], 'the part of a file')) };
      } catch (error) {
        // Whoever tries again searches again.
        if (searches.get(file.ordinal) === search) searches.delete(file.ordinal);
        throw error;
      }
    },
    join: async (staged) => {
      if (searches.size === 0) return summed(staged);
      const files: StagedFile[] = [];
      for (const file of summed(staged)) {
        const found = await searches.get(file.file.ordinal)?.found;
        if (found !== undefined) {
          assert(
            (found.records ?? file.rows) === file.rows,
            `the parts of ${file.file.name} are all of it`,
          );
        }
        files.push({ ...file, contentHash: file.contentHash ?? found?.contentHash ?? null });
      }
      return files;
    },
    close: async () => {
      await Promise.all([...searches.values()].map((search) => search.close()));
    },
  };
}

function summed(staged: readonly StagedFile[]): StagedFile[] {
  const files = new Map<number, StagedFile>();
  for (const part of staged) {
    const { ordinal } = part.file;
    const before = files.get(ordinal);
    files.set(
      ordinal,
      before === undefined
        ? part
        : {
            ...before,
            rows: before.rows + part.rows,
            staged: before.staged + part.staged,
            sifted: before.sifted || part.sifted,
            rejected: before.rejected + part.rejected,
            spools: [...before.spools, ...part.spools],
            contentHash: before.contentHash ?? part.contentHash,
          },
    );
  }
  return [...files.values()];
}

interface PartSearch {
  readonly parts: readonly Promise<CsvPart>[];
  readonly found: Promise<PartsFound>;
  close(): Promise<void>;
}

function searchParts({ plan, task, pool }: FilePartsOptions, file: FilePlan): PartSearch {
  const cuts = plan.units.flatMap(({ files, part }) =>
    files[0] === file.ordinal && part !== null && part.index > 0 ? [part.from] : [],
  );
  const order = { load: task, unit: 0, files: [file], attempt: 1 };
  const session = pool.open({ kind: 'split-scan', task: order, cuts }, () => undefined);
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => (closed ??= session.close());

  const parts: Promise<CsvPart>[] = [];
  let last: Promise<unknown> = Promise.resolve();
  for (let index = 0; index <= cuts.length; index++) {
    const part = last.then(() => session.call('next')) as Promise<CsvPart>;
    parts.push(part);
    last = part;
  }
  const found = last.then(() => session.call('end')) as Promise<PartsFound>;
  // Nobody may be waiting for a part when the search ends early.
  for (const each of [...parts, found]) each.catch(() => undefined);
  found.then(close, close);
  return { parts, found, close };
}
