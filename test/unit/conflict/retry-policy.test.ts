import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commitInDoubt,
  delayMs,
  retryable,
  RETRY_POLICY,
} from '../../../src/conflict/retry-policy.ts';
import type { ErrorFacts, ErrorRecord } from '../../../src/errors.ts';
import { LIMITS } from '../../../src/limits.ts';

const record = (facts: ErrorFacts): ErrorRecord => ({
  code: 'ETL_SERVER',
  sentence: '',
  remedy: '',
  facts,
});

describe('retryable', () => {
  it.each([
    '40001',
    '40P01',
    '40003',
    '55P03',
    '57P01',
    '57P02',
    '57P03',
    '57P05',
    '53300',
    '08006',
    '08P01',
  ])('tries again after SQLSTATE %s', (sqlState) =>
    expect(retryable(record({ sqlState }))).toBe(true),
  );

  it.each(['23505', '22P02', '42501', '57014', '57P04', '53100', '28P01', '25006', '00000'])(
    'does not after SQLSTATE %s',
    (sqlState) => expect(retryable(record({ sqlState }))).toBe(false),
  );

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNREFUSED', 'EAI_AGAIN', 'ENOENT'])(
    'tries again after socket error %s',
    (socket) => expect(retryable(record({ socket }))).toBe(true),
  );

  it('goes by the SQLSTATE where there is one, and never without facts', () => {
    expect(retryable(record({ sqlState: '23505', socket: 'ECONNRESET' }))).toBe(false);
    expect(retryable(record({ socket: 'ENOTFOUND' }))).toBe(false);
    expect(retryable(record({}))).toBe(false);
  });
});

describe('commitInDoubt', () => {
  it.each([
    [{ socket: 'ECONNRESET' }, true],
    [{ sqlState: '08006' }, true],
    [{ sqlState: '57P01' }, true],
    [{ sqlState: '40003' }, true],
    [{ sqlState: '40001' }, false],
    [{ sqlState: '40P01' }, false],
    [{ sqlState: '55P03' }, false],
    [{ sqlState: '23505' }, false],
    [{}, false],
  ])('%j: %s', (facts, expected) => expect(commitInDoubt(record(facts))).toBe(expected));
});

describe('delayMs', () => {
  it('stays within the limits for any attempt and any randomness', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const delay = delayMs(attempt, RETRY_POLICY, () => random);
          expect(delay).toBeGreaterThanOrEqual(LIMITS.retryDelayMsMin);
          expect(delay).toBeLessThanOrEqual(LIMITS.retryDelayMsMax);
        },
      ),
    );
  });

  it('grows by the factor, and jitters over the whole span', () => {
    const policy = { minMs: 10, maxMs: 1_000, factor: 3 };
    const longest = [1, 2, 3, 4, 5, 6].map((attempt) => delayMs(attempt, policy, () => 1));
    expect(longest).toEqual([30, 90, 270, 810, 1_000, 1_000]);
    expect(delayMs(3, policy, () => 0)).toBe(10);
    expect(delayMs(3, policy, () => 0.5)).toBe(140);
  });
});
