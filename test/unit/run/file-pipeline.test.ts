import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { LOST, merged, staged, startBench, statuses } from '../../support/pipeline-bench.ts';

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
