import { randomBytes } from 'node:crypto';
import { createSupersededKeys } from '../conflict/superseded-keys.ts';
import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { ScannedUnit } from '../load/key-scan.ts';
import type { SupersededRows, UnitPart } from '../load/unit-task.ts';
import type { UnitPlan } from '../plan/plan-types.ts';
import { callWorker } from './call-worker.ts';
import type { FileParts } from './file-parts.ts';
import type { RangeOptions } from './range-options.ts';

/** Rows that need not be sent, by file of a unit. */
export type SupersededByFile = ReadonlyMap<number, SupersededRows>;

/**
 * Finds the rows that lose for certain before anything is sent. Units are asked for in the order in
 * which they win, later ones first (with `ignore`, earlier ones), and are judged strictly in that
 * order: their keys are read in parallel, but each waits for its turn to be sifted.
 */
export interface SupersededSieve {
  /** The units in the order in which they must be asked for. */
  readonly units: readonly UnitPlan[];
  /** Call it in that order, without waiting for the answers. Rejects with what reading throws. */
  sift(unit: UnitPlan): Promise<SupersededByFile>;
}

export function createSupersededSieve(options: RangeOptions, parts: FileParts): SupersededSieve {
  const { plan } = options;
  const wins = plan.onConflict === 'ignore' ? 'first' : 'last';
  const keys = createSupersededKeys(wins, LIMITS.supersededKeysMax);
  const seed = new Uint32Array(new Uint8Array(randomBytes(16)).buffer);
  let lastTurn: Promise<void> = Promise.resolve();

  const judge = (scanned: ScannedUnit): SupersededByFile => {
    const files = wins === 'last' ? scanned.files.toReversed() : scanned.files;
    const superseded = new Map<number, SupersededRows>();
    for (const { file, lanes, contentHash } of files) {
      if (lanes === null) continue;
      const { keep, kept } = keys.sift(lanes);
      // Where every row is kept the file takes the fast path, as it stands.
      if (kept < keep.length) superseded.set(file, { keep, kept, contentHash });
    }
    return superseded;
  };
  return {
    units: wins === 'last' ? plan.units.toReversed() : plan.units,
    sift: async (unit) => {
      const before = lastTurn;
      let pass = (): void => undefined;
      lastTurn = new Promise((resolve) => {
        pass = resolve;
      });
      try {
        const scanned = await scanKeys(options, unit, await parts.partOf(unit), seed);
        await before;
        return judge(scanned);
      } finally {
        await before;
        pass();
      }
    },
  };
}

async function scanKeys(
  { pool, plan, task }: RangeOptions,
  unit: UnitPlan,
  part: UnitPart | undefined,
  seed: Uint32Array,
): Promise<ScannedUnit> {
  const files = unit.files.flatMap((ordinal) => plan.files[ordinal] ?? []);
  const order = { load: task, unit: unit.ordinal, files, attempt: 1, part };
  const scanned = await callWorker<ScannedUnit>(
    pool,
    { kind: 'key-scan', task: order, seed },
    'scan',
  );
  if (scanned.failure !== null) throw EtlError.fromRecord(scanned.failure.error);
  return scanned;
}
