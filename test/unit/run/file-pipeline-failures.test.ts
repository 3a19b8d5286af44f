import { describe, expect, it } from 'vitest';
import {
  LOST,
  badRow,
  merged,
  settled,
  staged,
  startBench,
  statuses,
} from '../../support/pipeline-bench.ts';

/** A unit that fails bars the later ones; an abort and a defect end all, with every session closed. */
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
