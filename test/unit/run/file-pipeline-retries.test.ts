import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { LIMITS } from '../../../src/limits.ts';
import { LOST, merged, staged, startBench, statuses } from '../../support/pipeline-bench.ts';

/** What may pass is tried again, and the ledger is asked of a commit in doubt. */
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
