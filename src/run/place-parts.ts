import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { DirectShareTask } from '../load/direct-share.ts';
import type { UnitPart } from '../load/unit-task.ts';
import type { DirectShares, FilePlan, UnitPlan } from '../plan/plan-types.ts';
import { guessCuts, type GuessedCuts } from '../source/csv/guess-cuts.ts';
import type { CsvDescription } from '../source/source-file.ts';
import { spansAbove } from '../target/above-table.ts';
import type { RangeOptions } from './range-options.ts';

type ShareTask = DirectShareTask['parts'][number];

/**
 * By ordinal of the part: what exactly a worker is to copy, and in which window of the key. Where
 * parts of a file meet, the first key of the later one is the end of the one window and the beginning of
 * the other.
 *
 * @throws EtlError where nothing looks like a place to cut, or the keys there do not rise
 */
export async function placeParts(
  options: Pick<RangeOptions, 'plan' | 'task' | 'coordinator'>,
  { column, shares }: DirectShares,
): Promise<ReadonlyMap<number, ShareTask>> {
  const units = shares.flat();
  const { plan } = options;
  const cutsOf = new Map<number, GuessedCuts>();
  for (const file of cutFiles(plan, units)) {
    const { ordinal } = file;
    const near = units.flatMap((unit) =>
      unit.files[0] === ordinal && (unit.part?.index ?? 0) > 0 ? [unit.part?.from ?? 0] : [],
    );
    cutsOf.set(ordinal, await cutsIn(file, near, column));
  }
  await refuseFalling(options, column, [...cutsOf.values()]);
  const tasks = units.map((unit): [number, ShareTask] => {
    const [ordinal = -1] = unit.files;
    const file = present(plan.files[ordinal], 'a file of a share');
    return [unit.ordinal, taskOf(unit, file, cutsOf.get(ordinal))];
  });
  return new Map(tasks);
}

/** The files of which several parts are copied. */
export function cutFiles(
  { files }: RangeOptions['plan'],
  units: readonly UnitPlan[],
): readonly FilePlan[] {
  const first = units.filter(({ part }) => part?.index === 0);
  return first.map((unit) => present(files[unit.files[0] ?? -1], 'a file that is cut'));
}

async function cutsIn(
  file: FilePlan,
  near: readonly number[],
  column: string,
): Promise<GuessedCuts> {
  const field = file.targets.indexOf(column);
  const guessed = await guessCuts(file, file.description as CsvDescription, near, field);
  const places = guessed?.cuts.map(({ at }) => at) ?? [];
  const rise = places.every((at, index) => at > (places[index - 1] ?? guessed?.dataStart ?? 0));
  if (guessed !== null && rise) return guessed;
  throw notCut(`No place was found where ${file.name} can be cut.`);
}

/** The parts prove it, too, but only once they have been copied. */
async function refuseFalling(
  { task, coordinator }: Pick<RangeOptions, 'task' | 'coordinator'>,
  name: string,
  guessed: readonly GuessedCuts[],
): Promise<void> {
  const column = task.target.columns.find((one) => one.name === name);
  const keys = guessed.flatMap(({ cuts }) => cuts.map(({ key }) => ({ min: key, max: key })));
  const above = await spansAbove(coordinator, null, present(column, 'the key'), keys);
  if (above.includes(false)) throw notCut('Its keys do not rise from part to part.');
}

function notCut(sentence: string): EtlError {
  return new EtlError('ETL_LIMIT', sentence, 'Nothing need be done: the file is staged.');
}

function taskOf(unit: UnitPlan, file: FilePlan, guessed: GuessedCuts | undefined): ShareTask {
  const window = present(unit.direct, 'the window of a file');
  const task = { unit: unit.ordinal, files: [file], attempt: 1 };
  if (unit.part === null || guessed === undefined) return { ...task, direct: window };
  const { index, of } = unit.part;
  const { cuts, dataStart, lineEnd } = guessed;
  const [own, next] = [cuts[index - 1], cuts[index]];
  const part: UnitPart = {
    kind: 'bytes',
    from: own?.at ?? dataStart,
    to: next?.at ?? file.bytes,
    ...{ firstRecord: 1, records: null, lineEnd, verbatim: false },
  };
  const from = index === 0 ? window.from : (own?.key ?? null);
  const before = index === of - 1 ? window.before : (next?.key ?? null);
  return { ...task, part, direct: { ...window, from, before } };
}
