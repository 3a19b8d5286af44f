import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { EtlError, type ErrorFacts } from '../../../src/errors.ts';
import { LIMITS } from '../../../src/limits.ts';
import type { RunEvent } from '../../../src/run/events.ts';
import { runFilePipeline } from '../../../src/run/file-pipeline.ts';
import type { FilePipelineOptions } from '../../../src/run/file-pipeline-options.ts';
import type { MergedUnit, StagedUnit, UnitSession } from '../../../src/load/unit-session.ts';

/**
 * Sessions under the test's control: each step waits until the test ends it. What the steps mean for
 * a table is for test/simulation; here it is about which step is taken when.
 */
interface Step {
  readonly name: string;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

interface Bench {
  readonly outcomes: ReturnType<typeof runFilePipeline>;
  /** All that happened: steps begun (`0.stage`, `0#2.stage` in a second try), closes, sleeps. */
  readonly log: string[];
  readonly events: RunEvent[];
  readonly clock: { ms: number };
  readonly abort: AbortController;
  end(name: string, result?: unknown): Promise<void>;
  fail(name: string, facts?: ErrorFacts): Promise<void>;
  /** Resolves what is under way, and what follows, until nothing is. */
  endAll(): Promise<void>;
}

const LOST: ErrorFacts = { socket: 'ECONNRESET' };

function startBench(
  unitFiles: readonly (readonly number[])[],
  options: Partial<FilePipelineOptions> = {},
  direct: readonly number[] = [],
): Bench {
  const log: string[] = [];
  const events: RunEvent[] = [];
  const pending = new Map<string, Step>();
  const abort = new AbortController();
  const begin = <T>(name: string): Promise<T> => {
    // Several sleeps may be under way: sleep, sleep+, and so on.
    if (pending.has(name)) return begin(`${name}+`);
    log.push(name);
    return new Promise<T>((resolve, reject) => pending.set(name, { name, resolve, reject }));
  };
  const clock = { ms: 0 };
  const outcomes = runFilePipeline({
    load: {
      files: unitFiles.flat().map((file) => ({ name: `f${file}.csv`, path: `/data/f${file}.csv` })),
      units: unitFiles.map((files, ordinal) => ({
        ordinal,
        files,
        part: null,
        estimatedRows: 1,
        bytes: 1,
        range: null,
        ...(direct.includes(ordinal) ? { direct: { column: 'id', from: null, before: null } } : {}),
      })),
      conflicts: [],
    },
    loadIndex: 3,
    workers: {
      open({ ordinal }, attempt, isDirect): UnitSession {
        const name = attempt === 1 ? String(ordinal) : `${ordinal}#${attempt}`;
        log.push(`${name}.open${isDirect ? ' direct' : ''}`);
        return {
          stage: () => begin(`${name}.stage`),
          exportKeys: () => begin(`${name}.keys`),
          merge: () => begin(`${name}.merge`),
          close: () => begin(`${name}.close`),
        };
      },
    },
    admissionMode: 'ordered',
    concurrency: 2,
    signal: abort.signal,
    now: () => clock.ms,
    random: () => 0.5,
    sleep: () => begin('sleep'),
    onEvent: (event) => events.push(event),
    ...options,
  });
  // A rejection is looked at by the test that expects it.
  outcomes.catch(() => undefined);

  const take = (name: string): Step => {
    const step = pending.get(name);
    if (step === undefined) throw new Error(`${name} is not under way; log: ${log.join(' ')}`);
    pending.delete(name);
    return step;
  };
  const bench: Bench = {
    outcomes,
    clock,
    log,
    events,
    abort,
    async end(name, result) {
      take(name).resolve((result ?? defaultResult(name, unitFiles)) as never);
      await settled();
    },
    async fail(name, facts = {}) {
      take(name).reject(new EtlError('ETL_SERVER', `${name} failed`, '', facts));
      await settled();
    },
    async endAll() {
      for (;;) {
        const [name] = pending.keys();
        if (name === undefined) return;
        await bench.end(name);
      }
    },
  };
  return bench;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function defaultResult(name: string, unitFiles: readonly (readonly number[])[]): unknown {
  const files = unitFiles[Number.parseInt(name, 10)] ?? [];
  if (name.endsWith('.stage')) return staged();
  if (name.endsWith('.keys')) return Float64Array.of(files[0] ?? 0);
  return name.endsWith('.merge') ? merged(files) : undefined;
}

function staged(facts: Partial<StagedUnit> = {}): StagedUnit {
  return { rows: 1, range: null, failure: null, alreadyMerged: null, ...facts };
}

function merged(files: readonly number[], failure: MergedUnit['failure'] = null): MergedUnit {
  const counts = {
    rowsRead: 1,
    inserted: 1,
    updated: 0,
    unchanged: 0,
    superseded: 0,
    rejected: 0,
  };
  const each = files.map((file) => ({ file, counts: null }));
  return { counts, files: each, failure, stageMs: 1, mergeMs: 1 };
}

const badRow = (file: number) => ({
  file,
  error: new EtlError('ETL_ROW_INVALID', 'A bad row.', '').record,
});

const statuses = async (bench: Bench) => (await bench.outcomes).map(({ status }) => status);

describe('units that may be copied directly', () => {
  it('are where they are first; one that is revoked is closed, then staged, and the first merges', async () => {
    const bench = startBench([[0], [1]], { admissionMode: 'prove' }, [0, 1]);
    expect(bench.log).toEqual(['0.open direct', '0.stage', '1.open direct', '1.stage']);
    await bench.end('1.stage', staged({ direct: true }));
    await bench.end('0.stage', staged({ direct: false }));
    expect(bench.log.slice(4)).toEqual(['1.close']);
    await bench.end('1.close');
    expect(bench.log.slice(5).toSorted()).toEqual(['0.merge', '1#2.open', '1#2.stage']);
    await bench.endAll();
    expect(bench.events.filter(({ kind }) => kind === 'unit-retried')).toEqual([]);
    expect(await statuses(bench)).toEqual(['merged', 'merged']);
  });

  it('are staged where an earlier one is', async () => {
    const bench = startBench([[0], [1]], { admissionMode: 'ordered' }, [1]);
    expect(bench.log).toEqual(['0.open', '0.stage', '1.open', '1.stage']);
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['merged', 'merged']);
  });
});

describe('the order of steps', () => {
  it('starts units in order, as many as there are lanes, and closes each before the next', async () => {
    const bench = startBench([[0], [1], [2]]);
    expect(bench.log).toEqual(['0.open', '0.stage', '1.open', '1.stage']);
    await bench.end('1.stage');
    expect(bench.log).not.toContain('1.merge');
    bench.clock.ms += 70;
    await bench.end('0.stage');
    bench.clock.ms += 5;
    await bench.end('0.merge');
    expect(bench.log.slice(4)).toEqual(['0.merge', '0.close', '1.merge']);
    await bench.end('0.close');
    expect(bench.log.slice(7)).toEqual(['2.open', '2.stage']);
    await bench.endAll();
    expect(await bench.outcomes).toEqual([
      { unit: 0, status: 'merged', merged: merged([0]), failure: null, attempts: 1, waitMs: 0 },
      { unit: 1, status: 'merged', merged: merged([1]), failure: null, attempts: 1, waitMs: 75 },
      { unit: 2, status: 'merged', merged: merged([2]), failure: null, attempts: 1, waitMs: 0 },
    ]);
  });

  it('exports keys where they help, and merges side by side what they prove apart', async () => {
    const bench = startBench([[0], [1]], { admissionMode: 'prove' });
    await bench.end('1.stage', staged({ rows: 2 }));
    await bench.end('1.keys', Float64Array.of(1, 2));
    await bench.end('0.stage');
    await bench.end('0.keys', Float64Array.of(3));
    expect(bench.log.slice(4)).toEqual(['1.keys', '0.keys', '1.merge', '0.merge']);
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['merged', 'merged']);
  });

  it('exports none beyond the bound on keys', async () => {
    const bench = startBench([[0], [1]], { admissionMode: 'prove', keysMax: 0 });
    await bench.end('1.stage');
    await bench.endAll();
    expect(bench.log.filter((step) => step.endsWith('.keys'))).toEqual([]);
    expect(await statuses(bench)).toEqual(['merged', 'merged']);
  });

  it('tells each outcome as soon as the unit has ended', async () => {
    const ended: number[] = [];
    const onOutcome = ({ unit }: { readonly unit: number }): number => ended.push(unit);
    const bench = startBench([[0], [1]], { admissionMode: 'free', onOutcome });
    await bench.end('1.stage');
    await bench.end('1.merge');
    expect(ended).toEqual([]);
    await bench.end('1.close');
    expect(ended).toEqual([1]);
    await bench.endAll();
    expect(ended).toEqual([1, 0]);
  });

  it('does nothing for a load without units', async () => {
    expect(await startBench([]).outcomes).toEqual([]);
  });

  it('tells who waits for whom, and who merges, for every file of a unit', async () => {
    const bench = startBench([[0], [1], [2, 3]], { concurrency: 3 });
    await bench.end('2.stage');
    await bench.end('0.stage');
    await bench.end('0.merge');
    await bench.endAll();
    const load = 3;
    expect(bench.events).toEqual([
      { kind: 'file-waiting', load, file: 2, forFile: 0 },
      { kind: 'file-waiting', load, file: 3, forFile: 0 },
      { kind: 'file-merging', load, file: 0 },
      { kind: 'file-waiting', load, file: 2, forFile: 1 },
      { kind: 'file-waiting', load, file: 3, forFile: 1 },
      { kind: 'file-merging', load, file: 1 },
      { kind: 'file-merging', load, file: 2 },
      { kind: 'file-merging', load, file: 3 },
    ]);
  });
});

describe('retries', () => {
  it('closes the session, waits, and stages again in a new one', async () => {
    const bench = startBench([[0]]);
    await bench.end('0.stage');
    await bench.fail('0.merge', { sqlState: '40P01' });
    expect(bench.log.slice(2)).toEqual(['0.merge', '0.close']);
    await bench.end('0.close');
    expect(bench.log.slice(4)).toEqual(['sleep']);
    await bench.end('sleep');
    expect(bench.log.slice(5)).toEqual(['0#2.open', '0#2.stage']);
    await bench.endAll();
    expect(await bench.outcomes).toMatchObject([{ status: 'merged', attempts: 2 }]);
    expect(bench.events.find(({ kind }) => kind === 'unit-retried')).toMatchObject({
      load: 3,
      file: 0,
      attempt: 2,
      delayMs: 125,
      error: { facts: { sqlState: '40P01' } },
    });
  });

  it('gives up after the last try', async () => {
    const bench = startBench([[0], [1]], { concurrency: 1 });
    await bench.fail('0.stage', LOST);
    for (let attempt = 2; attempt <= LIMITS.attemptsMax; attempt += 1) {
      await bench.end(attempt === 2 ? '0.close' : `0#${attempt - 1}.close`);
      await bench.end('sleep');
      await bench.fail(`0#${attempt}.stage`, LOST);
    }
    await bench.endAll();
    expect(await bench.outcomes).toMatchObject([
      { status: 'failed', attempts: LIMITS.attemptsMax, failure: { error: { facts: LOST } } },
      { status: 'not-loaded', attempts: 0 },
    ]);
  });

  it('counts what the ledger tells as merged', async () => {
    const bench = startBench([[0], [1]]);
    await bench.end('1.stage');
    await bench.end('0.stage');
    await bench.fail('0.merge', LOST);
    await bench.end('0.close');
    await bench.end('sleep');
    await bench.end('0#2.stage', staged({ rows: 0, alreadyMerged: merged([0]) }));
    expect(bench.log).toContain('1.merge');
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['merged', 'merged']);
    expect(bench.log.filter((step) => step.endsWith('merge'))).toEqual(['0.merge', '1.merge']);
  });

  it('tries a file again whose failure may pass, before it takes the part that is staged', async () => {
    const bench = startBench([[0, 1]]);
    const failure = { file: 1, error: new EtlError('ETL_SERVER', 'Lost.', '', LOST).record };
    await bench.end('0.stage', staged({ failure }));
    await bench.end('0.close');
    await bench.end('sleep');
    await bench.endAll();
    expect(await bench.outcomes).toMatchObject([{ status: 'merged', attempts: 2, failure: null }]);
  });

  it('asks the ledger of a commit in doubt even if an earlier unit has failed meanwhile', async () => {
    const bench = startBench([[0], [1]], { admissionMode: 'free' });
    await bench.end('1.stage');
    await bench.fail('0.stage');
    await bench.fail('1.merge', LOST);
    await bench.end('1.close');
    await bench.end('sleep');
    await bench.end('1#2.stage', staged({ alreadyMerged: merged([1]) }));
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['failed', 'merged']);
  });

  it('does not merge a barred unit of which the ledger knows nothing', async () => {
    const bench = startBench([[0], [1]], { admissionMode: 'free' });
    await bench.end('1.stage');
    await bench.fail('0.stage');
    await bench.fail('1.merge', LOST);
    await bench.end('1.close');
    await bench.end('sleep');
    await bench.end('1#2.stage');
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['failed', 'not-loaded']);
    expect(bench.log).not.toContain('1#2.merge');
  });

  it('waits for admission anew in each try', async () => {
    const bench = startBench([[0], [1]], { admissionMode: 'prove' });
    await bench.end('0.stage');
    await bench.end('1.stage');
    await bench.end('0.keys');
    await bench.end('1.keys');
    await bench.fail('0.merge', LOST);
    await bench.fail('1.merge', LOST);
    await bench.end('1.close');
    await bench.end('sleep');
    await bench.end('1#2.stage');
    await bench.end('1#2.keys', Float64Array.of(1));
    expect(bench.log).not.toContain('1#2.merge');
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['merged', 'merged']);
  });

  it('looks a commit in doubt up once', async () => {
    const bench = startBench([[0], [1, 2]], { admissionMode: 'free' });
    await bench.end('1.stage');
    await bench.fail('1.merge', LOST);
    await bench.end('1.close');
    await bench.end('sleep');
    await bench.fail('1#2.stage', LOST);
    await bench.end('1#2.close');
    await bench.end('sleep');
    const failure = { file: 2, error: new EtlError('ETL_SERVER', 'Lost.', '', LOST).record };
    await bench.end('1#3.stage', staged({ failure }));
    await bench.fail('0.stage');
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['failed', 'not-loaded']);
    expect(bench.log).not.toContain('1#4.open');
  });

  it('does not try a barred unit again whose merge was rolled back', async () => {
    const bench = startBench([[0], [1]], { admissionMode: 'free' });
    await bench.end('1.stage');
    await bench.fail('0.stage');
    await bench.fail('1.merge', { sqlState: '40001' });
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['failed', 'not-loaded']);
    expect(bench.log).not.toContain('1#2.open');
    expect(bench.events.map(({ kind }) => kind)).not.toContain('unit-retried');
  });
});

describe('the signal of the run', () => {
  it('has one listener, however many units are under way, and none afterwards', async () => {
    const bench = startBench([[0], [1], [2]], { concurrency: 3, admissionMode: 'free' });
    const listeners = () => getEventListeners(bench.abort.signal, 'abort').length;
    for (const unit of [0, 1, 2]) await bench.end(`${unit}.stage`);
    for (const unit of [0, 1, 2]) await bench.fail(`${unit}.merge`, LOST);
    for (const unit of [0, 1, 2]) await bench.end(`${unit}.close`);
    expect(listeners()).toBe(1);
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['merged', 'merged', 'merged']);
    expect(listeners()).toBe(0);
  });
});

describe('failures', () => {
  it('stops later units in the middle of a step, and lets earlier ones go on', async () => {
    const bench = startBench([[0], [1], [2], [3]], { concurrency: 3 });
    await bench.fail('1.stage', { file: '/data/f1.csv' });
    expect(bench.log.slice(-2)).toEqual(['1.close', '2.close']);
    await bench.endAll();
    expect(await bench.outcomes).toMatchObject([
      { status: 'merged' },
      { status: 'failed', failure: { file: 1 }, attempts: 1 },
      { status: 'not-loaded', failure: null, attempts: 1 },
      { status: 'not-loaded', attempts: 0 },
    ]);
  });

  it('lets a later unit finish that is merging', async () => {
    const bench = startBench([[0], [1]], { admissionMode: 'prove' });
    await bench.end('1.stage', staged({ rows: 0 }));
    await bench.fail('0.stage');
    await bench.endAll();
    expect(await statuses(bench)).toEqual(['failed', 'merged']);
  });

  it('merges the files before the one that failed, and bars the later units first', async () => {
    const bench = startBench([[0, 1], [2]], { admissionMode: 'prove' });
    await bench.end('1.stage', staged({ range: { kind: 'integer', min: '5', max: '5' } }));
    await bench.end('1.keys');
    const facts = { range: { kind: 'integer', min: '1', max: '1' }, failure: badRow(1) } as const;
    await bench.end('0.stage', staged(facts));
    expect(bench.log).toContain('1.close');
    await bench.end('0.merge', merged([0]));
    await bench.endAll();
    expect(await bench.outcomes).toMatchObject([
      { status: 'failed', merged: merged([0]), failure: badRow(1) },
      { status: 'not-loaded' },
    ]);
  });

  it('merges nothing of a unit whose first file failed', async () => {
    const bench = startBench([[0, 1]]);
    await bench.end('0.stage', staged({ rows: 0, failure: badRow(0) }));
    await bench.endAll();
    expect(bench.log).toEqual(['0.open', '0.stage', '0.close']);
    expect(await bench.outcomes).toMatchObject([
      { status: 'failed', merged: null, failure: badRow(0) },
    ]);
  });

  it('bars later units when a merge keeps only a part', async () => {
    const bench = startBench([[0, 1], [2]]);
    await bench.end('1.stage');
    await bench.end('0.stage');
    await bench.end('0.merge', merged([0], badRow(1)));
    await bench.endAll();
    expect(await bench.outcomes).toMatchObject([
      { status: 'failed', merged: merged([0], badRow(1)), failure: badRow(1) },
      { status: 'not-loaded' },
    ]);
    expect(bench.log).not.toContain('1.merge');
  });

  it('does not take a merge for whole that says nothing of a file', async () => {
    const bench = startBench([[0, 1]]);
    await bench.end('0.stage');
    await bench.end('0.merge', merged([0]));
    await bench.endAll();
    expect(await bench.outcomes).toMatchObject([
      { status: 'failed', failure: { error: { code: 'ETL_INTERNAL' } } },
    ]);
  });

  it('names the file that the error names', async () => {
    const bench = startBench([[0, 1, 2]]);
    await bench.fail('0.stage', { file: 'f1.csv' });
    await bench.endAll();
    expect(await bench.outcomes).toMatchObject([{ failure: { file: 1 } }]);
  });
});

describe('abort', () => {
  it('starts nothing where the signal is aborted already', async () => {
    const bench = startBench([[0]], { signal: AbortSignal.abort() });
    expect(await statuses(bench)).toEqual(['not-loaded']);
    expect(bench.log).toEqual([]);
  });

  it('closes sessions in any step, and waits until they are closed', async () => {
    const bench = startBench([[0], [1], [2], [3]], { concurrency: 3, admissionMode: 'prove' });
    await bench.end('0.stage', staged({ rows: 0 }));
    await bench.end('1.stage');
    bench.abort.abort();
    await settled();
    expect(bench.log.slice(-3).sort()).toEqual(['0.close', '1.close', '2.close']);
    await bench.end('0.close');
    await bench.end('1.close');
    expect(await Promise.race([bench.outcomes, settled()])).toBe(undefined);
    await bench.end('2.close');
    expect(await statuses(bench)).toEqual(Array(4).fill('not-loaded'));
  });

  it('tells of a merge that commits while its session is closed', async () => {
    const bench = startBench([[0]]);
    await bench.end('0.stage');
    bench.abort.abort();
    await settled();
    await bench.end('0.merge');
    await bench.end('0.close');
    expect(await statuses(bench)).toEqual(['merged']);
  });

  it('ends the delay of a retry, whether sleep rejects or never ends', async () => {
    const sleepers = [
      () => new Promise<void>(() => undefined),
      (_: number, signal: AbortSignal) =>
        new Promise<void>((__, reject) =>
          signal.addEventListener('abort', () => reject(new Error('Aborted.'))),
        ),
    ];
    for (const sleep of sleepers) {
      const bench = startBench([[0]], { sleep });
      await bench.fail('0.stage', LOST);
      await bench.end('0.close');
      bench.abort.abort();
      expect(await statuses(bench)).toEqual(['not-loaded']);
      expect(bench.log).not.toContain('0#2.open');
    }
  });
});

describe('a defect', () => {
  it('of a listener or a timer ends the run with every session closed', async () => {
    const defect = (): never => {
      throw new Error('A defect.');
    };
    for (const options of [{ onEvent: defect }, { sleep: defect }]) {
      const bench = startBench([[0], [1], [2]], options);
      await bench.fail('0.stage', LOST);
      await bench.endAll();
      await expect(bench.outcomes).rejects.toThrow('A defect.');
      expect(bench.log.filter((step) => step.endsWith('close'))).toEqual(['0.close', '1.close']);
      expect(bench.log).not.toContain('2.open');
    }
  });
});
