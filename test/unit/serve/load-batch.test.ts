import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EtlError, type ErrorRecord } from '../../../src/errors.ts';
import { NO_COUNTS } from '../../../src/target/known-counts.ts';
import { loadBatch, type BatchParts, type RunEnd } from '../../../src/serve/load-batch.ts';
import type { FileVerdict, UploadFile } from '../../../src/serve/upload.ts';
import { anUpload } from './uploads.ts';

/** What is wrong with a file, and who says so: nobody, the run's report, the plan by name, or without. */
const KINDS = ['good', 'bad in the run', 'bad in the plan', 'bad and not named'] as const;
type Kind = (typeof KINDS)[number];

const bad = (facts: object = {}): ErrorRecord =>
  new EtlError('ETL_ROW_INVALID', 'Bad.', 'Mend it.', facts).record;

const verdict = (status: 'loaded' | 'failed', error: ErrorRecord | null = null): FileVerdict => ({
  ...{ status, run: 'r', counts: NO_COUNTS, rejects: null, error, batch: null },
});

/** An engine that loads files up to the first that is bad, as the real one does at worst. */
function engine(kinds: ReadonlyMap<UploadFile, Kind>, loaded: UploadFile[], tries: number[]) {
  return async (files: readonly UploadFile[]): Promise<RunEnd> => {
    tries.push(files.length);
    const unnamed = files.some((file) => kinds.get(file) === 'bad and not named');
    if (unnamed) throw EtlError.fromRecord(bad());
    const planned = files.find((file) => kinds.get(file) === 'bad in the plan');
    if (planned !== undefined) throw EtlError.fromRecord(bad({ file: planned.base }));
    const verdicts = new Map<UploadFile, FileVerdict>();
    for (const file of files) {
      if (kinds.get(file) !== 'good') {
        verdicts.set(file, verdict('failed', bad()));
        break;
      }
      loaded.push(file);
      verdicts.set(file, verdict('loaded'));
    }
    return { verdicts, error: null };
  };
}

function partsOf(
  tryRun: BatchParts['tryRun'],
  told: Map<UploadFile, FileVerdict>,
  signal = new AbortController().signal,
): BatchParts {
  return {
    ...{ tryRun, signal },
    onVerdict: (file, its) => told.set(file, its),
    named: ({ facts }, files) => files.find((file) => file.base === facts.file),
    failed: (error) => verdict('failed', error),
  };
}

test('each file has its own verdict, the good ones are loaded in order, and once', async () => {
  const kinds = fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(kinds, async (list) => {
      const { files } = anUpload(
        'a',
        list.map(() => ({})),
      );
      const kindOf = new Map(files.map((file, index) => [file, list[index] ?? 'good'] as const));
      const [loaded, tries] = [[] as UploadFile[], [] as number[]];
      const told = new Map<UploadFile, FileVerdict>();
      const error = await loadBatch(files, partsOf(engine(kindOf, loaded, tries), told));
      expect(error).toBeNull();
      expect(loaded).toEqual(files.filter((file) => kindOf.get(file) === 'good'));
      for (const file of files) {
        const good = kindOf.get(file) === 'good';
        expect(told.get(file)?.status).toBe(good ? 'loaded' : 'failed');
      }
      const count = (kind: Kind): number => list.filter((one) => one === kind).length;
      const halvings = count('bad and not named') * 2 * (Math.log2(list.length) + 1);
      const named = count('bad in the run') + count('bad in the plan');
      expect(tries.length).toBeLessThanOrEqual(2 + 2 * named + 2 * halvings);
    }),
  );
});

test('what the moment keeps from being loaded stays, with its reason', async () => {
  const { files } = anUpload('a', [{}, {}, {}]);
  const [first] = files;
  const lost = new EtlError('ETL_CONNECTION', 'Lost.', 'Wait.');
  const told = new Map<UploadFile, FileVerdict>();
  let tries = 0;
  const tryRun = async (): Promise<RunEnd> => {
    tries += 1;
    if (tries > 1 || first === undefined) throw lost;
    return { verdicts: new Map([[first, verdict('loaded')]]), error: null };
  };
  expect(await loadBatch(files, partsOf(tryRun, told))).toEqual(lost.record);
  expect([...told.keys()]).toEqual([first]);
});

test('what is wrong with the job is the verdict of all its files, after one try', async () => {
  const { files } = anUpload('a', [{}, {}, {}]);
  const told = new Map<UploadFile, FileVerdict>();
  let tries = 0;
  const tryRun = async (): Promise<RunEnd> => {
    tries += 1;
    throw new EtlError('ETL_PRIVILEGE', 'You may not.', 'Grant it.');
  };
  expect(await loadBatch(files, partsOf(tryRun, told))).toBeNull();
  expect([tries, told.size]).toEqual([1, 3]);
});

test('the first of files that make a table goes before the others', async () => {
  const { files } = anUpload('a', [{}, {}, {}]);
  const tries: number[] = [];
  const told = new Map<UploadFile, FileVerdict>();
  let there = false;
  const tryRun = async (group: readonly UploadFile[]): Promise<RunEnd> => {
    tries.push(group.length);
    if (!there && group.length > 1) return { verdicts: new Map(), error: null, before: 1 };
    there = true;
    return { verdicts: new Map(group.map((file) => [file, verdict('loaded')])), error: null };
  };
  expect(await loadBatch(files, partsOf(tryRun, told))).toBeNull();
  expect([tries, told.size]).toEqual([[3, 1, 2], 3]);
});

test('nothing is begun once the service ends', async () => {
  const { files } = anUpload('a', [{}, {}]);
  const told = new Map<UploadFile, FileVerdict>();
  const tries: number[] = [];
  const tryRun = async (group: readonly UploadFile[]): Promise<RunEnd> => {
    tries.push(group.length);
    return { verdicts: new Map(), error: null };
  };
  expect(await loadBatch(files, partsOf(tryRun, told, AbortSignal.abort()))).toBeNull();
  expect([tries, told.size]).toEqual([[], 0]);
});
